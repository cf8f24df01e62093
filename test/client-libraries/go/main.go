// Does discovery, requests tokens and verifies them with go-oidc and golang.org/x/oauth2. Reads the scenarios from the
// file that the first argument names, and prints one JSON object for each step.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type input struct {
	Proxy     string     `json:"proxy"`
	Scenarios []scenario `json:"scenarios"`
}

type scenario struct {
	Name          string   `json:"name"`
	Issuer        string   `json:"issuer"`
	Audience      string   `json:"audience"`
	CaFile        string   `json:"caFile"`
	TokenEndpoint string   `json:"tokenEndpoint"`
	Clients       []client `json:"clients"`
}

type client struct {
	Method   string `json:"method"`
	ClientID string `json:"clientId"`
	CertFile string `json:"certFile"`
	KeyFile  string `json:"keyFile"`
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	var in input
	check(json.Unmarshal(text, &in))
	for _, s := range in.Scenarios {
		run(s, in.Proxy)
	}
}

func run(s scenario, proxy string) {
	plain := oidc.ClientContext(context.Background(), httpClient(s, proxy, nil))
	provider, err := oidc.NewProvider(plain, s.Issuer)
	tokenEndpoint := s.TokenEndpoint
	if err == nil {
		tokenEndpoint, err = mutualTLSEndpoint(provider)
	}
	report("go-oidc", s, "discovery", err)
	token := ""
	for i := range s.Clients {
		token, err = requestTokens(s, proxy, &s.Clients[i], tokenEndpoint)
		report("golang.org/x/oauth2", s, s.Clients[i].Method, err)
	}
	if provider == nil {
		return
	}
	report("go-oidc", s, "verification", verify(plain, provider, s.Audience, token))
}

// The library has no accessor for RFC 8705 §5; Claims gives access to every member of the document.
func mutualTLSEndpoint(provider *oidc.Provider) (string, error) {
	var metadata struct {
		Aliases struct {
			TokenEndpoint string `json:"token_endpoint"`
		} `json:"mtls_endpoint_aliases"`
	}
	err := provider.Claims(&metadata)
	if err == nil && metadata.Aliases.TokenEndpoint == "" {
		err = errors.New("no mtls_endpoint_aliases")
	}
	return metadata.Aliases.TokenEndpoint, err
}

// In every style of the library: detected (its default), in the body, and with Basic and an empty secret.
func requestTokens(s scenario, proxy string, c *client, tokenEndpoint string) (string, error) {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, httpClient(s, proxy, c))
	styles := []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInParams, oauth2.AuthStyleInHeader}
	accessToken := ""
	for _, style := range styles {
		config := clientcredentials.Config{ClientID: c.ClientID, TokenURL: tokenEndpoint, AuthStyle: style, Scopes: []string{"read"}}
		token, err := config.Token(ctx)
		if err != nil {
			return "", fmt.Errorf("style %d: %w", style, err)
		}
		if token.Type() != "Bearer" || time.Until(token.Expiry) < 50*time.Minute || token.Extra("scope") != "read" {
			return "", fmt.Errorf("style %d: unexpected response: %v", style, token)
		}
		accessToken = token.AccessToken
	}
	return accessToken, nil
}

func verify(ctx context.Context, provider *oidc.Provider, audience string, token string) error {
	verifierFor := func(audience string) *oidc.IDTokenVerifier {
		return provider.VerifierContext(ctx, &oidc.Config{ClientID: audience})
	}
	if _, err := verifierFor(audience).Verify(ctx, token); err != nil {
		return err
	}
	if _, err := verifierFor("https://other.example").Verify(ctx, token); err == nil {
		return errors.New("accepted the token for another audience")
	}
	if _, err := verifierFor(audience).Verify(ctx, tampered(token)); err == nil {
		return errors.New("accepted a token with another signature")
	}
	return nil
}

// The token with another first character of the signature.
func tampered(token string) string {
	bytes := []byte(token)
	for i := len(bytes) - 1; i >= 0; i-- {
		if bytes[i] == '.' {
			if bytes[i+1] == 'A' {
				bytes[i+1] = 'B'
			} else {
				bytes[i+1] = 'A'
			}
			break
		}
	}
	return string(bytes)
}

func httpClient(s scenario, proxy string, c *client) *http.Client {
	pem, err := os.ReadFile(s.CaFile)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots}
	if c != nil {
		certificate, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		check(err)
		config.Certificates = []tls.Certificate{certificate}
	}
	proxyURL, err := url.Parse(proxy)
	check(err)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, Proxy: http.ProxyURL(proxyURL)}}
}

func report(library string, s scenario, step string, err error) {
	line := map[string]any{"library": library, "scenario": s.Name, "step": step}
	if err != nil {
		line["error"] = err.Error()
	}
	check(json.NewEncoder(os.Stdout).Encode(line))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
