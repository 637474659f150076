package shop.checkout;

import com.sun.net.httpserver.HttpExchange;

/** The routes. */
final class CheckoutController {
  private final CheckoutService checkout;
  private final OrderRepository orders;

  CheckoutController(CheckoutService checkout, OrderRepository orders) {
    this.checkout = checkout;
    this.orders = orders;
  }

  Http.Answer route(HttpExchange x) throws Exception {
    String path = x.getRequestURI().getPath();
    if (path.equals("/api/checkout/complete")) {
      return handleCheckout(x);
    }
    if (path.startsWith("/api/cart/")) {
      return new Http.Answer(200, orders.cart(Long.parseLong(path.substring("/api/cart/".length()))));
    }
    if (path.equals("/api/loyalty")) {
      return new Http.Answer(200, orders.loyalty(x.getRequestURI().getQuery().replace("email=", "")));
    }
    if (path.equals("/api/products")) {
      return new Http.Answer(200, "[{\"sku\":\"TV-55\",\"cents\":39900},{\"sku\":\"BUDS-2\",\"cents\":4900}]");
    }
    return new Http.Answer(404, "{\"error\":\"NOT_FOUND\"}");
  }

  private Http.Answer handleCheckout(HttpExchange x) throws Exception {
    String token = x.getRequestHeaders().getFirst("X-Checkout-Token");
    if (token == null) {
      return new Http.Answer(401, "{\"error\":\"LOGIN_REQUIRED\"}");
    }
    return checkout.completeOrder(token, 4900);
  }
}
