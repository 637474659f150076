package shop.checkout;

import java.sql.SQLException;

/** Completes an order. */
final class CheckoutService {
  private final SessionStore sessions;
  private final PaymentProcessor payments;
  private final OrderRepository orders;

  CheckoutService(SessionStore sessions, PaymentProcessor payments, OrderRepository orders) {
    this.sessions = sessions;
    this.payments = payments;
    this.orders = orders;
  }

  Http.Answer completeOrder(String token, long cents) throws SQLException {
    UserAccount account = sessions.load(token);
    if (!payments.validateFunds(account, cents)) {
      return new Http.Answer(402, "{\"error\":\"PAYMENT_DECLINED\"}");
    }
    long id = orders.insert(account.getEmail(), cents);
    return new Http.Answer(201, "{\"orderId\":" + id + ",\"status\":\"CONFIRMED\"}");
  }
}
