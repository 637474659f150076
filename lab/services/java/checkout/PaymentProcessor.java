package shop.checkout;

/** Decides whether an account can pay. */
final class PaymentProcessor {
  boolean validateFunds(UserAccount account, long cents) {
    long balance = account.getBalance();
    return balance >= cents;
  }
}
