import java.net.http.HttpClient;
import java.util.Map;
import java.util.Set;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.converter.FormHttpMessageConverter;
import org.springframework.security.oauth2.client.endpoint.DefaultOAuth2TokenRequestParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.http.OAuth2ErrorResponseErrorHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.endpoint.OAuth2AccessTokenResponse;
import org.springframework.security.oauth2.core.http.converter.OAuth2AccessTokenResponseHttpMessageConverter;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.web.client.RestClient;

/** Spring Security: the OAuth 2.0 client, and the decoder of the resource server. */
final class Spring {
  private static final String CLIENT = "Spring Security OAuth2 Client";
  private static final String RESOURCE_SERVER = "Spring Security Resource Server";

  private Spring() {}

  static void run(Main.Scenario scenario) {
    ClientRegistration discovered =
        Main.report(
            CLIENT,
            scenario,
            "discovery",
            () -> ClientRegistrations.fromIssuerLocation(scenario.issuer()).clientId("discovery").build());
    String endpoint = discovered == null ? scenario.tokenEndpoint() : mutualTlsEndpoint(discovered);
    String token = null;
    for (Main.Client client : scenario.clients()) {
      token = Main.report(CLIENT, scenario, client.method(), () -> requestToken(scenario, client, endpoint));
    }
    String last = token;
    NimbusJwtDecoder.JwkSetUriJwtDecoderBuilder builder =
        Main.report(RESOURCE_SERVER, scenario, "discovery", () -> decoder(scenario));
    if (builder != null) Main.report(RESOURCE_SERVER, scenario, "verification", () -> verify(scenario, builder, last));
  }

  /** The library does not know RFC 8705 §5, but passes the member on. */
  private static String mutualTlsEndpoint(ClientRegistration registration) {
    Object aliases = registration.getProviderDetails().getConfigurationMetadata().get("mtls_endpoint_aliases");
    return (String) ((Map<?, ?>) aliases).get("token_endpoint");
  }

  /** With Basic and an empty password (the default), with the client_id alone, and with the registered method. */
  private static String requestToken(Main.Scenario scenario, Main.Client client, String endpoint) throws Exception {
    RestClientClientCredentialsTokenResponseClient responses = new RestClientClientCredentialsTokenResponseClient();
    responses.setRestClient(restClient(scenario, client));
    request(responses, client, endpoint, ClientAuthenticationMethod.CLIENT_SECRET_BASIC);
    request(responses, client, endpoint, ClientAuthenticationMethod.NONE);
    // Without this, the library refuses other methods than those of a secret and `none`.
    responses.setParametersConverter(new DefaultOAuth2TokenRequestParametersConverter<>());
    return request(responses, client, endpoint, new ClientAuthenticationMethod(client.method()));
  }

  private static String request(
      RestClientClientCredentialsTokenResponseClient responses,
      Main.Client client,
      String endpoint,
      ClientAuthenticationMethod method) {
    ClientRegistration registration =
        ClientRegistration.withRegistrationId("test")
            .clientId(client.clientId())
            .clientAuthenticationMethod(method)
            .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
            .tokenUri(endpoint)
            .scope("read")
            .build();
    OAuth2AccessTokenResponse response =
        responses.getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration));
    Main.require(response.getAccessToken().getScopes().equals(Set.of("read")), response);
    return response.getAccessToken().getTokenValue();
  }

  private static RestClient restClient(Main.Scenario scenario, Main.Client client) throws Exception {
    HttpClient http = HttpClient.newBuilder().sslContext(Tls.contextOf(client, scenario.caFile())).build();
    return RestClient.builder()
        .requestFactory(new JdkClientHttpRequestFactory(http))
        .messageConverters(
            converters -> {
              converters.clear();
              converters.add(new FormHttpMessageConverter());
              converters.add(new OAuth2AccessTokenResponseHttpMessageConverter());
            })
        .defaultStatusHandler(new OAuth2ErrorResponseErrorHandler())
        .build();
  }

  /** With the validation of RFC 9068, for which the check of the default type has to be turned off. */
  private static NimbusJwtDecoder.JwkSetUriJwtDecoderBuilder decoder(Main.Scenario scenario) {
    NimbusJwtDecoder.JwkSetUriJwtDecoderBuilder builder =
        NimbusJwtDecoder.withIssuerLocation(scenario.issuer()).validateType(false);
    builder.build();
    return builder;
  }

  private static Object verify(Main.Scenario scenario, NimbusJwtDecoder.JwkSetUriJwtDecoderBuilder builder, String token) {
    verify(scenario, builder, scenario.audience(), token);
    Main.requireRejection(() -> verify(scenario, builder, Main.OTHER_AUDIENCE, token));
    Main.requireRejection(() -> verify(scenario, builder, scenario.audience(), Main.tampered(token)));
    return null;
  }

  private static Jwt verify(
      Main.Scenario scenario, NimbusJwtDecoder.JwkSetUriJwtDecoderBuilder builder, String audience, String token) {
    NimbusJwtDecoder decoder = builder.build();
    decoder.setJwtValidator(
        JwtValidators.createAtJwtValidator()
            .issuer(scenario.issuer())
            .audience(audience)
            .clientId(scenario.clients().get(scenario.clients().size() - 1).clientId())
            .build());
    return decoder.decode(token);
  }
}
