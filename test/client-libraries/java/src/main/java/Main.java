import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Does discovery, requests tokens and verifies them with Spring Security and the Nimbus OAuth 2.0 SDK. Reads the scenarios
 * from the file that the first argument names, and prints one JSON object for each step.
 */
public final class Main {
  static final String OTHER_AUDIENCE = "https://other.example";

  record Scenario(
      String name,
      String issuer,
      String audience,
      String algorithm,
      String caFile,
      String tokenEndpoint,
      List<Client> clients) {}

  record Client(String method, String clientId, String certFile, String keyFile) {}

  /** A step of one library; what it throws is the result. */
  interface Step<T> {
    T run() throws Exception;
  }

  public static void main(String[] args) throws Exception {
    Map<?, ?> input = JSONObjectUtils.parse(Files.readString(Path.of(args[0])));
    List<Scenario> scenarios = objects(input, "scenarios").stream().map(Main::scenario).toList();
    Tls.useProxy(text(input, "proxy"));
    Tls.trust(scenarios.stream().map(Scenario::caFile).toList());
    for (Scenario scenario : scenarios) {
      Spring.run(scenario);
      Nimbus.run(scenario);
    }
  }

  private static Scenario scenario(Map<?, ?> fields) {
    return new Scenario(
        text(fields, "name"),
        text(fields, "issuer"),
        text(fields, "audience"),
        text(fields, "algorithm"),
        text(fields, "caFile"),
        text(fields, "tokenEndpoint"),
        objects(fields, "clients").stream().map(Main::client).toList());
  }

  private static Client client(Map<?, ?> fields) {
    return new Client(
        text(fields, "method"), text(fields, "clientId"), text(fields, "certFile"), text(fields, "keyFile"));
  }

  static <T> T report(String library, Scenario scenario, String step, Step<T> action) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("library", library);
    line.put("scenario", scenario.name());
    line.put("step", step);
    try {
      return action.run();
    } catch (Exception | LinkageError error) {
      line.put("error", withCauses(error));
      return null;
    } finally {
      System.out.println(JSONObjectUtils.toJSONString(line));
    }
  }

  static void requireRejection(Step<?> verification) {
    try {
      verification.run();
    } catch (Exception rejection) {
      return;
    }
    throw new IllegalStateException("accepted a wrong token");
  }

  static void require(boolean condition, Object response) {
    if (!condition) throw new IllegalStateException("unexpected response: " + response);
  }

  /** The token with another first character of the signature. */
  static String tampered(String token) {
    int start = token.lastIndexOf('.') + 1;
    String other = token.charAt(start) == 'A' ? "B" : "A";
    return token.substring(0, start) + other + token.substring(start + 1);
  }

  private static String withCauses(Throwable error) {
    String text = error.getClass().getSimpleName() + ": " + error.getMessage();
    return error.getCause() == null ? text : text + " < " + withCauses(error.getCause());
  }

  private static List<Map<?, ?>> objects(Map<?, ?> fields, String name) {
    return ((List<?>) fields.get(name)).stream().<Map<?, ?>>map(element -> (Map<?, ?>) element).toList();
  }

  private static String text(Map<?, ?> fields, String name) {
    return (String) fields.get(name);
  }
}
