"""Does discovery, requests tokens and verifies them with Authlib, requests-oauthlib and PyJWT.

Reads the scenarios from the file that the first argument names, and prints one JSON object for each step.
"""

import json
import os
import ssl
import sys
import urllib.request

import jwt
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as get_openid_well_known_url
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session as RequestsOauthlibSession

OTHER_AUDIENCE = "https://other.example"


def main(path):
    with open(path, encoding="utf-8") as file:
        scenarios = json.load(file)
    os.environ["HTTPS_PROXY"] = scenarios["proxy"]
    for scenario in scenarios["scenarios"]:
        os.environ["REQUESTS_CA_BUNDLE"] = scenario["caFile"]
        run(scenario)


def run(scenario):
    def report(library, step, action):
        line = {"library": library, "scenario": scenario["name"], "step": step}
        try:
            return action()
        except Exception as error:  # every failure is a result
            line["error"] = f"{type(error).__name__}: {error}"
        finally:
            print(json.dumps(line), flush=True)

    metadata = report("Authlib", "discovery", lambda: discover(scenario))
    if metadata is None:
        return
    endpoint = metadata["mtls_endpoint_aliases"]["token_endpoint"]
    for client in scenario["clients"]:
        token = report("Authlib", client["method"], lambda: authlib_token(scenario, client, endpoint))
        report("requests-oauthlib", client["method"], lambda: requests_oauthlib_token(scenario, client, endpoint))
    report("Authlib", "verification", lambda: authlib_verification(scenario, metadata, token))
    report("PyJWT", "verification", lambda: pyjwt_verification(scenario, metadata, token))


def discover(scenario):
    """Both documents, each with the validation of its standard."""
    issuer = scenario["issuer"]
    metadata = AuthorizationServerMetadata(get_json(scenario, get_well_known_url(issuer, external=True)))
    metadata.validate()
    openid = OpenIDProviderMetadata(get_json(scenario, get_openid_well_known_url(issuer, external=True)))
    openid.validate()
    require(metadata["issuer"] == issuer and openid["issuer"] == issuer, "another issuer")
    return metadata


def authlib_token(scenario, client, endpoint):
    """Without a secret, and with an empty one in Basic and in the body."""
    for more in (
        {},
        {"client_secret": "", "token_endpoint_auth_method": "client_secret_basic"},
        {"client_secret": "", "token_endpoint_auth_method": "client_secret_post"},
    ):
        session = AuthlibSession(client["clientId"], scope="read", **more)
        prepare(session, scenario, client)
        token = require_response(session.fetch_token(endpoint, grant_type="client_credentials"))
    return token


def requests_oauthlib_token(scenario, client, endpoint):
    """By default the client_id is sent with Basic and an empty password; also in the body."""
    for more in ({"client_id": client["clientId"]}, {"include_client_id": True}):
        session = RequestsOauthlibSession(client=BackendApplicationClient(client["clientId"], scope=["read"]))
        prepare(session, scenario, client)
        require_response(session.fetch_token(endpoint, **more))


def prepare(session, scenario, client):
    session.verify = scenario["caFile"]
    session.cert = (client["certFile"], client["keyFile"])


def require_response(response):
    require(response["token_type"] == "Bearer", "token_type")
    require(response["expires_in"] == 3600, "expires_in")
    require(response["scope"] in ("read", ["read"]), "scope")
    return response["access_token"]


def authlib_verification(scenario, metadata, token):
    class Validator(JWTBearerTokenValidator):
        def get_jwks(self):
            return get_json(scenario, metadata["jwks_uri"])

    def verify(audience, text):
        validator = Validator(issuer=scenario["issuer"], resource_server=audience)
        claims = validator.authenticate_token(text)
        validator.validate_token(claims, ["read"], None)

    verify(scenario["audience"], token)
    require_rejection(lambda: verify(OTHER_AUDIENCE, token), OAuth2Error)
    require_rejection(lambda: verify(scenario["audience"], tampered(token)), OAuth2Error)


def pyjwt_verification(scenario, metadata, token):
    keys = jwt.PyJWKClient(metadata["jwks_uri"], ssl_context=ssl.create_default_context(cafile=scenario["caFile"]))

    def verify(audience, text):
        key = keys.get_signing_key_from_jwt(text)
        jwt.decode(text, key, algorithms=[scenario["algorithm"]], audience=audience, issuer=scenario["issuer"])

    verify(scenario["audience"], token)
    require_rejection(lambda: verify(OTHER_AUDIENCE, token), jwt.InvalidTokenError)
    require_rejection(lambda: verify(scenario["audience"], tampered(token)), jwt.InvalidTokenError)


def tampered(token):
    """The token with another first character of the signature."""
    start, _, signature = token.rpartition(".")
    return f"{start}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def get_json(scenario, url):
    context = ssl.create_default_context(cafile=scenario["caFile"])
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    with opener.open(request) as response:
        return json.load(response)


def require(condition, message):
    if not condition:
        raise AssertionError(f"unexpected {message}")


def require_rejection(action, error):
    try:
        action()
    except error:
        return
    raise AssertionError("accepted a wrong token")


main(sys.argv[1])
