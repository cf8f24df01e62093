import java.io.FileInputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The TLS of the JDK: which proxy to use, which CA to trust, and which certificate to present. */
final class Tls {
  private Tls() {}

  static void useProxy(String url) {
    URI proxy = URI.create(url);
    System.setProperty("https.proxyHost", proxy.getHost());
    System.setProperty("https.proxyPort", String.valueOf(proxy.getPort()));
  }

  /** Makes these CAs the ones that connections trust that have no context of their own. */
  static void trust(List<String> caFiles) throws Exception {
    SSLContext context = context(caFiles, null);
    SSLContext.setDefault(context);
    HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
  }

  static SSLContext contextOf(Main.Client client, String caFile) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null);
    Certificate[] chain = {certificate(client.certFile())};
    keys.setKeyEntry("client", privateKey(client.keyFile()), new char[0], chain);
    KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, new char[0]);
    return context(List.of(caFile), factory.getKeyManagers());
  }

  private static SSLContext context(List<String> caFiles, KeyManager[] keys) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null);
    for (String caFile : caFiles) trusted.setCertificateEntry(caFile, certificate(caFile));
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys, factory.getTrustManagers(), null);
    return context;
  }

  private static Certificate certificate(String file) throws Exception {
    try (FileInputStream stream = new FileInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(stream);
    }
  }

  private static PrivateKey privateKey(String file) throws Exception {
    String base64 = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----|\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
  }
}
