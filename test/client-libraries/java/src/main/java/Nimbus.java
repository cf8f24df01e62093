import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.PKITLSClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.SelfSignedTLSClientAuthentication;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import java.net.URI;
import java.util.Set;
import javax.net.ssl.SSLSocketFactory;

/** Nimbus OAuth 2.0 SDK with OpenID Connect extensions. */
final class Nimbus {
  private static final String NAME = "Nimbus oauth2-oidc-sdk";

  private Nimbus() {}

  static void run(Main.Scenario scenario) {
    AuthorizationServerMetadata metadata = Main.report(NAME, scenario, "discovery", () -> discover(scenario));
    URI endpoint =
        metadata == null
            ? URI.create(scenario.tokenEndpoint())
            : metadata.getMtlsEndpointAliases().getTokenEndpointURI();
    String token = null;
    for (Main.Client client : scenario.clients()) {
      token = Main.report(NAME, scenario, client.method(), () -> requestToken(scenario, client, endpoint));
    }
    String last = token;
    if (metadata != null) Main.report(NAME, scenario, "verification", () -> verify(scenario, metadata, last));
  }

  /** Both documents, each with the parser of its standard. */
  private static AuthorizationServerMetadata discover(Main.Scenario scenario) throws Exception {
    Issuer issuer = new Issuer(scenario.issuer());
    OIDCProviderMetadata.resolve(issuer);
    return AuthorizationServerMetadata.resolve(issuer);
  }

  private static String requestToken(Main.Scenario scenario, Main.Client client, URI endpoint) throws Exception {
    SSLSocketFactory sockets = Tls.contextOf(client, scenario.caFile()).getSocketFactory();
    ClientID id = new ClientID(client.clientId());
    ClientAuthentication authentication =
        client.method().equals("tls_client_auth")
            ? new PKITLSClientAuthentication(id, sockets)
            : new SelfSignedTLSClientAuthentication(id, sockets);
    HTTPRequest request =
        new TokenRequest.Builder(endpoint, authentication, new ClientCredentialsGrant())
            .scope(new Scope("read"))
            .build()
            .toHTTPRequest();
    TokenResponse response = TokenResponse.parse(request.send());
    if (!response.indicatesSuccess()) throw new IllegalStateException(response.toErrorResponse().getErrorObject().toString());
    AccessToken token = response.toSuccessResponse().getTokens().getAccessToken();
    Main.require(token.getLifetime() == 3600 && token.getScope().equals(new Scope("read")), token);
    return token.getValue();
  }

  private static Object verify(Main.Scenario scenario, AuthorizationServerMetadata metadata, String token) throws Exception {
    JWKSource<SecurityContext> keys = JWKSourceBuilder.create(metadata.getJWKSetURI().toURL()).build();
    verify(scenario, keys, scenario.audience(), token);
    Main.requireRejection(() -> verify(scenario, keys, Main.OTHER_AUDIENCE, token));
    Main.requireRejection(() -> verify(scenario, keys, scenario.audience(), Main.tampered(token)));
    return null;
  }

  private static JWTClaimsSet verify(Main.Scenario scenario, JWKSource<SecurityContext> keys, String audience, String token)
      throws Exception {
    DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.parse(scenario.algorithm()), keys));
    JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer(scenario.issuer()).build();
    Set<String> required = Set.of("sub", "exp", "iat", "jti", "client_id");
    processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(audience, exact, required));
    return processor.process(token, null);
  }
}
