{{/* Rejects values that are incomplete or contradict each other: every problem at once, each with its fix. */}}
{{- define "countersign.requireValues" -}}
{{- $problems := concat
  (include "countersign.identityProblems" . | fromJsonArray)
  (include "countersign.proxyTrustProblems" . | fromJsonArray)
  (include "countersign.signingKeyProblems" . | fromJsonArray)
  (include "countersign.recordProblems" . | fromJsonArray)
  (include "countersign.sourceProblems" . | fromJsonArray)
  (include "countersign.addressProblems" . | fromJsonArray)
  (include "countersign.podProblems" . | fromJsonArray) -}}
{{- if $problems -}}
{{- printf "\n\nThese values do not make a safe server:\n- %s\n" (join "\n- " $problems) | fail -}}
{{- end -}}
{{- end -}}

{{- define "countersign.identityProblems" -}}
{{- $problems := list -}}
{{- if not .Values.image.repository -}}
{{- $problems = append $problems "image.repository is missing: build the image from deploy/Dockerfile, push it, and set this to where it is, such as registry.example/countersign" -}}
{{- end -}}
{{- if not .Values.issuer -}}
{{- $problems = append $problems "issuer is missing: set it to the URL by which clients know this server, such as https://auth.example" -}}
{{- end -}}
{{- if not .Values.terminator -}}
{{- $problems = append $problems "terminator is missing: set it to the proxy in front of this server, such as nginx or envoy" -}}
{{- end -}}
{{- $name := include "countersign.fullname" . -}}
{{- if not (mustRegexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $problems = append $problems (printf "%s is not a name for a Service: set fullnameOverride to lowercase letters, digits and dashes that begin with a letter, such as countersign" $name) -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "countersign.proxyTrustProblems" -}}
{{- $problems := list -}}
{{- with .Values.proxyTrust -}}
{{- $tls := .gatewayCertificate.serverSecretName -}}
{{- $ca := or .gatewayCertificate.caSecretRef.name .gatewayCertificate.caConfigMapRef.name -}}
{{- $names := .gatewayCertificate.names -}}
{{- $required := or $ca $names .gatewayCertificate.thumbprints -}}
{{- if .unixSocket.enabled -}}
{{- if or $tls $required -}}
{{- $problems = append $problems "proxyTrust.unixSocket and proxyTrust.gatewayCertificate exclude each other: a Unix socket has no TLS; remove one" -}}
{{- end -}}
{{- if not $.Values.service.targetPort -}}
{{- $problems = append $problems "service.targetPort is missing: with proxyTrust.unixSocket, set it to the port of the terminator in the same pod" -}}
{{- end -}}
{{- else if not (or .secretRef.name $required) -}}
{{- $problems = append $problems "proxyTrust states no proof: any pod could send a client's certificate. Set proxyTrust.secretRef.name to a Secret with a proxy secret (openssl rand -hex 32), or proxyTrust.gatewayCertificate to the certificate that the gateway presents" -}}
{{- end -}}
{{- if and $required (not $tls) (not .unixSocket.enabled) -}}
{{- $problems = append $problems "proxyTrust.gatewayCertificate.serverSecretName is missing: the gateway can present its certificate over HTTPS only; set it to a kubernetes.io/tls Secret with the certificate of this server" -}}
{{- end -}}
{{- if and $ca (not $names) -}}
{{- $problems = append $problems "proxyTrust.gatewayCertificate.names is missing: without it, every certificate of the CA would be a gateway; set it to the DNS names or URIs in the gateway's certificate" -}}
{{- end -}}
{{- if and $names (not $ca) -}}
{{- $problems = append $problems "proxyTrust.gatewayCertificate.caSecretRef.name is missing: anyone can issue a certificate with these names; set it to a Secret with the CA to trust, or caConfigMapRef.name to a ConfigMap" -}}
{{- end -}}
{{- if not (or .addresses .unixSocket.enabled) -}}
{{- $problems = append $problems "proxyTrust.addresses is empty: set it to the addresses of pods, such as 10.0.0.0/8" -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "countersign.signingKeyProblems" -}}
{{- $problems := list -}}
{{- with .Values.signingKeys -}}
{{- $sources := compact (list .directory.secretName .secretRef.name .keyEncryptionKeySecretRef.name) -}}
{{- if not $sources -}}
{{- $problems = append $problems "signingKeys is missing: set signingKeys.directory.secretName or signingKeys.secretRef.name to a Secret with private keys, or signingKeys.keyEncryptionKeySecretRef.name for a keyring in Redis" -}}
{{- else if gt (len $sources) 1 -}}
{{- $problems = append $problems "signingKeys has several sources: set one of directory, secretRef and keyEncryptionKeySecretRef" -}}
{{- end -}}
{{- if and .keyEncryptionKeySecretRef.name (not $.Values.redis.urlSecretRef.name) -}}
{{- $problems = append $problems "redis.urlSecretRef.name is missing: signingKeys.keyEncryptionKeySecretRef is for a keyring in Redis" -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "countersign.recordProblems" -}}
{{- $problems := list -}}
{{- $hasFiles := include "countersign.clientConfigMaps" . | fromJsonArray -}}
{{- with .Values.redis -}}
{{- if and .urlSecretRef.name $hasFiles (not .adminUrlSecretRef.name) -}}
{{- $problems = append $problems "redis.adminUrlSecretRef.name is missing: clients are applied as the administrator, which the servers are not; set it to a Secret with that URL, or remove clients.files and clients.configMaps" -}}
{{- end -}}
{{- if not (or .urlSecretRef.name $hasFiles) -}}
{{- $problems = append $problems "there are no clients: set clients.configMaps or clients.files, or redis.urlSecretRef.name to a Secret with the URL of the Redis that holds them" -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{/* A file that is in a ConfigMap or a Secret is not in both. */}}
{{- define "countersign.sourceProblems" -}}
{{- $problems := list -}}
{{- $pairs := dict
  "clientCa.configMapRef and clientCa.secretRef" (list .Values.clientCa.configMapRef .Values.clientCa.secretRef)
  "redis.caConfigMapRef and redis.caSecretRef" (list .Values.redis.caConfigMapRef .Values.redis.caSecretRef)
  "proxyTrust.gatewayCertificate.caConfigMapRef and caSecretRef" (list .Values.proxyTrust.gatewayCertificate.caConfigMapRef .Values.proxyTrust.gatewayCertificate.caSecretRef) -}}
{{- range $names, $pair := $pairs -}}
{{- if and (index $pair 0).name (index $pair 1).name -}}
{{- $problems = append $problems (printf "%s are both set: remove one" $names) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{/* A pod that listens on IPv4 only refuses connections over IPv6, and an IPv6 gateway that is not trusted has no certificates. */}}
{{- define "countersign.addressProblems" -}}
{{- $problems := list -}}
{{- if not .Values.proxyTrust.unixSocket.enabled -}}
{{- $service := or (has "IPv6" .Values.service.ipFamilies) (has .Values.service.ipFamilyPolicy (list "PreferDualStack" "RequireDualStack")) -}}
{{- $trusted := list -}}
{{- range .Values.proxyTrust.addresses -}}
{{- if contains ":" . -}}{{- $trusted = append $trusted . -}}{{- end -}}
{{- end -}}
{{- $listens := eq .Values.listenAddress "[::]" -}}
{{- if and $listens (not $trusted) -}}
{{- $problems = append $problems "proxyTrust.addresses has no IPv6 addresses, although listenAddress is [::]: add those of the pods, such as fd00:10:244::/56, or set listenAddress to 0.0.0.0" -}}
{{- end -}}
{{- if and $trusted (not $listens) -}}
{{- $problems = append $problems (printf "listenAddress is 0.0.0.0, although proxyTrust.addresses has %s: set it to [::], which accepts IPv4 as well" (first $trusted)) -}}
{{- else if and $service (not $listens) -}}
{{- $problems = append $problems "listenAddress is 0.0.0.0, although the Service has IPv6: set it to [::], which accepts IPv4 as well, or remove service.ipFamilies and service.ipFamilyPolicy" -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{- define "countersign.podProblems" -}}
{{- $problems := list -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "COUNTERSIGN_" (toString .name) -}}
{{- $problems = append $problems (printf "extraEnv contains %s, which could replace how the gateway is trusted: remove it, and use the value that the chart has for it, or settings" .name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnvFrom -}}
{{- $prefix := toString (default "" .prefix) -}}
{{- if or (not (hasSuffix "_" $prefix)) (mustRegexMatch "^(COUNTERSIGN|NODE|LD)_" $prefix) -}}
{{- $source := default (default dict .secretRef) .configMapRef -}}
{{- $problems = append $problems (printf "extraEnvFrom takes every variable of %s, which could replace how the gateway is trusted: set its prefix to that of other variables, such as OTEL_, or name each variable in extraEnv with valueFrom" (default "an object" $source.name)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.gateway) -}}
{{- $problems = append $problems "networkPolicy.gateway is missing: set it to the pods of the gateway, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateway}}}]" -}}
{{- end -}}
{{- if has (toString .Values.service.targetPort) (list "edge" "operations" "8081" "9090") -}}
{{- $problems = append $problems (printf "service.targetPort is %v, which is not for clients: remove it, or set it to the port of a terminator in the same pod" .Values.service.targetPort) -}}
{{- end -}}
{{- $needed := add .Values.drainDelaySeconds 15 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $needed) -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds is too short: a replica drains for drainDelaySeconds, and finishes requests for 10 s; set it to %d or more" $needed) -}}
{{- end -}}
{{- if and .Values.tests.client.clientId (not .Values.tests.client.certificateSecretName) -}}
{{- $problems = append $problems "tests.client.certificateSecretName is missing: set it to a Secret with the certificate of the client that the test stands for" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas)) -}}
{{- $problems = append $problems "autoscaling.maxReplicas is below autoscaling.minReplicas: raise it" -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}
