package cover;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a traveller would pay. */
final class Quotes extends HttpServlet {
  private static final Logger log = LoggerFactory.getLogger(Quotes.class);
  private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(2)).build();

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
    String age = request.getParameter("age");
    try {
      String premium = premium(age);
      response.setContentType("application/json");
      response.getWriter().print("{\"age\":" + age + ",\"premium\":" + premium + "}");
      log.info("quote for age {}", age);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ServletException(e);
    }
  }

  private String premium(String age) throws IOException, InterruptedException {
    URI source = URI.create(System.getenv("TARIFF_URL") + "/premium?age=" + age);
    HttpResponse<String> answer;
    try {
      answer = client.send(HttpRequest.newBuilder(source).timeout(Duration.ofMillis(2500)).build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new IOException("no premium from " + source.getHost(), e);
    }
    if (answer.statusCode() != 200) {
      throw new IOException("tariff service: status " + answer.statusCode());
    }
    return answer.body().trim();
  }
}
