package line.freight;

import com.sun.net.httpserver.HttpExchange;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A quote is the base rate of the rates service times the zone of the country. */
final class Quotes {
  private static final Map<String, Integer> ZONES = Map.of("SE", 1, "FI", 1, "EE", 2, "DK", 2);
  private static final Pattern COUNTRY = Pattern.compile("\"country\":\"([A-Z]{2})\""), KILOS = Pattern.compile("\"kilos\":(-?\\d+)");
  private final HttpClient client;

  Quotes() throws Exception {
    HttpClient.Builder b = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(3)).version(HttpClient.Version.HTTP_1_1);
    String ca = System.getenv("RATES_CA");
    if (ca != null) {
      b.sslContext(trusting(Path.of(ca)));
    }
    client = b.build();
  }

  private static SSLContext trusting(Path pem) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(pem)) {
      store.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  Freight.Answer quote(HttpExchange x, String body) throws Exception {
    Matcher country = COUNTRY.matcher(body), kilos = KILOS.matcher(body);
    if (!country.find() || !kilos.find() || Integer.parseInt(kilos.group(1)) <= 0) {
      return new Freight.Answer(400, "{\"error\":\"country and kilos are needed\"}");
    }
    int zone = ZONES.get(country.group(1));
    HttpRequest req = HttpRequest.newBuilder(URI.create(System.getenv("RATES_URL") + "/v3/base?zone=" + zone)).timeout(Duration.ofSeconds(5)).build();
    HttpResponse<String> res = client.send(req, HttpResponse.BodyHandlers.ofString());
    if (res.statusCode() != 200) {
      throw new IllegalStateException("rates service answered " + res.statusCode() + ": " + res.body());
    }
    return new Freight.Answer(200, "{\"cents\":" + zone * 40 * Integer.parseInt(kilos.group(1)) + "}");
  }
}
