//! Does discovery, requests tokens and verifies them with oauth2, openidconnect and jsonwebtoken. Reads the scenarios from
//! the file that the first argument names, and prints one JSON object for each step.

use std::{error::Error, fs, str::FromStr};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use oauth2::{AuthType, ClientId, ClientSecret, Scope, TokenResponse, TokenUrl, basic::BasicClient, reqwest};
use openidconnect::{
    AdditionalProviderMetadata, IssuerUrl, Nonce, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreGrantType, CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
    },
};
use reqwest::blocking::Client;
use serde::{Deserialize, Serialize};

type Outcome<T> = Result<T, Box<dyn Error>>;

const OTHER_AUDIENCE: &str = "https://other.example";

#[derive(Deserialize)]
struct Input {
    proxy: String,
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scenario {
    name: String,
    issuer: String,
    audience: String,
    algorithm: String,
    ca_file: String,
    token_endpoint: String,
    clients: Vec<TlsClient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TlsClient {
    method: String,
    client_id: String,
    cert_file: String,
    key_file: String,
}

/// RFC 8705 §5: the library passes on members that it does not know.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct MutualTls {
    mtls_endpoint_aliases: Aliases,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Aliases {
    token_endpoint: String,
}

impl AdditionalProviderMetadata for MutualTls {}

type Metadata = ProviderMetadata<
    MutualTls,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

fn main() -> Outcome<()> {
    let path = std::env::args().nth(1).expect("the file of the scenarios");
    let input: Input = serde_json::from_str(&fs::read_to_string(path)?)?;
    for scenario in &input.scenarios {
        run(scenario, &input.proxy)?;
    }
    Ok(())
}

fn run(scenario: &Scenario, proxy: &str) -> Outcome<()> {
    let plain = http_client(scenario, proxy, None)?;
    let issuer = IssuerUrl::new(scenario.issuer.clone())?;
    let discovered = Metadata::discover(&issuer, &plain).map_err(|error| with_sources(&error).into());
    let metadata = report("openidconnect", scenario, "discovery", discovered);
    let endpoint = match &metadata {
        Some(metadata) => metadata.additional_metadata().mtls_endpoint_aliases.token_endpoint.clone(),
        None => scenario.token_endpoint.clone(),
    };
    let mut token = String::new();
    for client in &scenario.clients {
        let http = http_client(scenario, proxy, Some(client))?;
        let requested = request_tokens(client, &endpoint, &http);
        token = report("oauth2", scenario, &client.method, requested).unwrap_or(token);
    }
    if let Some(metadata) = metadata {
        let jwks_uri = metadata.jwks_uri().to_string();
        let verified = with_openidconnect(metadata, scenario, &token);
        report("openidconnect", scenario, "verification", verified);
        let verified = with_jsonwebtoken(&plain, &jwks_uri, scenario, &token);
        report("jsonwebtoken", scenario, "verification", verified);
    }
    Ok(())
}

/// In each way of the library: without a secret (in the body), and with an empty one, with Basic and in the body.
fn request_tokens(client: &TlsClient, endpoint: &str, http: &Client) -> Outcome<String> {
    let bare = BasicClient::new(ClientId::new(client.client_id.clone()))
        .set_token_uri(TokenUrl::new(endpoint.to_string())?);
    let with_secret = bare.clone().set_client_secret(ClientSecret::new(String::new()));
    let mut access_token = String::new();
    for oauth_client in [
        bare,
        with_secret.clone().set_auth_type(AuthType::BasicAuth),
        with_secret.set_auth_type(AuthType::RequestBody),
    ] {
        let response = oauth_client
            .exchange_client_credentials()
            .add_scope(Scope::new("read".to_string()))
            .request(http)
            .map_err(|error| with_sources(&error))?;
        let scopes: Vec<&str> = response.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect();
        if scopes != ["read"] || response.expires_in().is_none_or(|lifetime| lifetime.as_secs() != 3600) {
            return Err(format!("unexpected response: {response:?}").into());
        }
        access_token = response.access_token().secret().clone();
    }
    Ok(access_token)
}

/// With the verifier of ID tokens, configured from the metadata: issuer, audience, algorithm, expiry and signature.
fn with_openidconnect(metadata: Metadata, scenario: &Scenario, token: &str) -> Outcome<()> {
    let verify = |audience: &str, text: &str| -> Outcome<()> {
        let client = CoreClient::from_provider_metadata(
            to_core(&metadata)?,
            openidconnect::ClientId::new(audience.to_string()),
            None,
        );
        let verifier: CoreIdTokenVerifier = client.id_token_verifier().allow_all_jose_types();
        CoreIdToken::from_str(text)?.claims(&verifier, |_: Option<&Nonce>| Ok(()))?;
        Ok(())
    };
    verify(&scenario.audience, token)?;
    require_rejection(verify(OTHER_AUDIENCE, token))?;
    require_rejection(verify(&scenario.audience, &tampered(token)))
}

/// The client of the library takes only metadata without additional members. Serializing loses the keys.
fn to_core(metadata: &Metadata) -> Outcome<openidconnect::core::CoreProviderMetadata> {
    let core: openidconnect::core::CoreProviderMetadata = serde_json::from_str(&serde_json::to_string(metadata)?)?;
    Ok(core.set_jwks(metadata.jwks().clone()))
}

fn with_jsonwebtoken(http: &Client, jwks_uri: &str, scenario: &Scenario, token: &str) -> Outcome<()> {
    let keys: JwkSet = serde_json::from_str(&http.get(jwks_uri).send()?.text()?)?;
    let verify = |audience: &str, text: &str| -> Outcome<()> {
        let kid = decode_header(text)?.kid.ok_or("no kid")?;
        let key = DecodingKey::from_jwk(keys.find(&kid).ok_or("no key with this kid")?)?;
        let mut validation = Validation::new(Algorithm::from_str(&scenario.algorithm)?);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[&scenario.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        decode::<serde_json::Value>(text, &key, &validation)?;
        Ok(())
    };
    verify(&scenario.audience, token)?;
    require_rejection(verify(OTHER_AUDIENCE, token))?;
    require_rejection(verify(&scenario.audience, &tampered(token)))
}

fn require_rejection(outcome: Outcome<()>) -> Outcome<()> {
    if outcome.is_ok() { Err("accepted a wrong token".into()) } else { Ok(()) }
}

/// The token with another first character of the signature.
fn tampered(token: &str) -> String {
    let start = token.rfind('.').map_or(0, |dot| dot + 1);
    let other = if token[start..].starts_with('A') { "B" } else { "A" };
    format!("{}{}{}", &token[..start], other, &token[start + 1..])
}

fn http_client(scenario: &Scenario, proxy: &str, client: Option<&TlsClient>) -> Outcome<Client> {
    let ca = reqwest::Certificate::from_pem(&fs::read(&scenario.ca_file)?)?;
    let builder = Client::builder()
        .use_rustls_tls()
        .redirect(reqwest::redirect::Policy::none())
        .tls_built_in_root_certs(false)
        .add_root_certificate(ca)
        .proxy(reqwest::Proxy::all(proxy)?);
    let builder = match client {
        None => builder,
        Some(client) => {
            let pem = [fs::read(&client.cert_file)?, fs::read(&client.key_file)?].concat();
            builder.identity(reqwest::Identity::from_pem(&pem)?)
        }
    };
    Ok(builder.build()?)
}

fn with_sources(error: &dyn Error) -> String {
    let sources = error.source().map(with_sources);
    sources.map_or(error.to_string(), |sources| format!("{error}: {sources}"))
}

fn report<T>(library: &str, scenario: &Scenario, step: &str, outcome: Outcome<T>) -> Option<T> {
    let mut line = serde_json::json!({ "library": library, "scenario": scenario.name, "step": step });
    if let Err(error) = &outcome {
        line["error"] = error.to_string().into();
    }
    println!("{line}");
    outcome.ok()
}
