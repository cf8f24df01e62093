{{/* What no value can weaken: the requirements of the Pod Security Standard "restricted". */}}
{{- define "countersign.podSecurityContext" -}}
{{- range $name, $value := .Values.podSecurityContext }}
{{- if not (kindIs "invalid" $value) }}
{{ toYaml (dict $name $value) }}
{{- end }}
{{- end }}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "countersign.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* The part of a pod's spec that is the same for the server, `clients apply` and the test. */}}
{{- define "countersign.podSpec" -}}
serviceAccountName: {{ include "countersign.serviceAccountName" . | quote }}
automountServiceAccountToken: false
# Variables such as COUNTERSIGN_PORT would be taken for settings.
enableServiceLinks: false
securityContext:
  {{- include "countersign.podSecurityContext" . | trim | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The settings that servers and commands share; `only` limits `settings` to those that a command reads. */}}
{{- define "countersign.settingsEnv" -}}
{{- with .root.Values.redis.keyPrefix }}
- name: COUNTERSIGN_REDIS_KEY_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- $only := .only -}}
{{- range $name, $value := .root.Values.settings }}
{{- if or (not $only) (has $name $only) }}
- name: COUNTERSIGN_{{ $name }}
  value: {{ kindIs "float64" $value | ternary (int64 $value) $value | toString | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "countersign.serverEnv" -}}
{{- $sockets := .Values.proxyTrust.unixSocket.enabled -}}
{{- $address := .Values.listenAddress -}}
- name: COUNTERSIGN_ISSUER
  value: {{ .Values.issuer | quote }}
{{- with .Values.mtlsUrl }}
- name: COUNTERSIGN_MTLS_URL
  value: {{ . | quote }}
{{- end }}
- name: COUNTERSIGN_TERMINATOR
  value: {{ .Values.terminator | quote }}
- name: COUNTERSIGN_LISTEN
  value: {{ $sockets | ternary "unix:/run/countersign/countersign.sock" (printf "%s:8080" $address) | quote }}
{{- if .Values.edge.enabled }}
- name: COUNTERSIGN_EDGE_LISTEN
  value: {{ $sockets | ternary "unix:/run/countersign/edge.sock" (printf "%s:8081" $address) | quote }}
{{- with .Values.edge.terminator }}
- name: COUNTERSIGN_EDGE_TERMINATOR
  value: {{ . | quote }}
{{- end }}
{{- end }}
- name: COUNTERSIGN_OPERATIONS_LISTEN
  value: {{ printf "%s:9090" $address | quote }}
- name: COUNTERSIGN_DRAIN_DELAY
  value: {{ printf "%ds" (int .Values.drainDelaySeconds) | quote }}
{{- if not $sockets }}
- name: COUNTERSIGN_TRUSTED_PROXIES
  value: {{ join "," .Values.proxyTrust.addresses | quote }}
{{- end }}
{{- with .Values.proxyTrust.gatewayCertificate.names }}
- name: COUNTERSIGN_PROXY_SANS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.proxyTrust.gatewayCertificate.thumbprints }}
- name: COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS
  value: {{ join "," . | quote }}
{{- end }}
{{- if not .Values.redis.urlSecretRef.name }}
- name: COUNTERSIGN_CLIENTS_FILE
  value: /etc/countersign/clients
{{- end }}
{{- include "countersign.settingsEnv" (dict "root" .) }}
{{- include "countersign.fileEnv" (include "countersign.serverFiles" . | fromYamlArray) }}
{{- end -}}

{{/* Of the settings, those that decide which records the server accepts; `files` are those that the command reads. */}}
{{- define "countersign.recordsEnv" -}}
{{- $only := list "ALLOW_SHA1_THUMBPRINTS" "ALLOW_UNBOUND_EDGE_TOKENS" "CHAIN_VERIFIED_BY" "REQUIRE_CA_PIN" "UNIQUE_CERTIFICATES" -}}
{{- include "countersign.settingsEnv" (dict "root" .root "only" $only) }}
{{- include "countersign.fileEnv" .files }}
{{- end -}}

{{/* The name of the port, and what serves it: HTTPS as soon as the server has a certificate. */}}
{{- define "countersign.scheme" -}}
{{- empty .Values.proxyTrust.gatewayCertificate.serverSecretName | ternary "http" "https" -}}
{{- end -}}
