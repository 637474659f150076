package shop.checkout;

/** Who buys. */
final class UserAccount {
  private final long id;
  private final String email;
  private final long balance;

  UserAccount(long id, String email, long balance) {
    this.id = id;
    this.email = email;
    this.balance = balance;
  }

  long getId() { return id; }
  String getEmail() { return email; }
  long getBalance() { return balance; }
}
