{{/*
The files that the server reads, as a list: the volume, what it is made of (`secret` or `configMap`), and `settings`, from the name of a
setting to the file in the volume. An empty file stands for the folder. Without `settings`, a `secret` has `items`, from its keys to their
files. The volume is mounted under its name, unless it has a `folder`.
*/}}
{{- define "countersign.serverFiles" -}}
{{- with .Values.proxyTrust.secretRef }}{{ if .name }}
- volume: proxy-secret
  secret: {{ .name | quote }}
  settings: {PROXY_SECRET_FILE: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with .Values.proxyTrust.gatewayCertificate }}
{{- with .serverSecretName }}
- volume: tls
  secret: {{ . | quote }}
  settings: {TLS_CERTIFICATE_FILE: tls.crt, TLS_KEY_FILE: tls.key}
{{- end }}
{{- include "countersign.configMapOrSecretFile" (dict "volume" "proxy-ca" "setting" "PROXY_CA_FILE" "configMap" .caConfigMapRef "secret" .caSecretRef) }}
{{- end }}
{{- with .Values.signingKeys }}
{{- with .directory.secretName }}
- volume: signing-keys
  secret: {{ . | quote }}
  settings: {SIGNING_KEYS_DIR: ''}
{{- end }}
{{- with .secretRef }}{{ if .name }}
- volume: signing-key
  secret: {{ .name | quote }}
  settings: {SIGNING_KEY_FILE: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with .keyEncryptionKeySecretRef }}{{ if .name }}
- volume: key-encryption-key
  secret: {{ .name | quote }}
  settings: {KEY_ENCRYPTION_KEY_FILE: {{ .key | quote }}}
{{- end }}{{ end }}
{{- end }}
{{- if not .Values.redis.urlSecretRef.name }}
{{- include "countersign.clientFiles" . }}
{{- end }}
{{- include "countersign.clientCaFiles" . }}
{{- include "countersign.redisFiles" (dict "root" . "urlSecretRef" .Values.redis.urlSecretRef) }}
{{- end -}}

{{/* The files that `clients apply` reads as the administrator. */}}
{{- define "countersign.applyFiles" -}}
{{- include "countersign.checkFiles" . }}
{{- include "countersign.redisFiles" (dict "root" . "urlSecretRef" .Values.redis.adminUrlSecretRef) }}
{{- end -}}

{{/* What decides which records are valid. */}}
{{- define "countersign.checkFiles" -}}
{{- include "countersign.clientFiles" . }}
{{- include "countersign.clientCaFiles" . }}
{{- end -}}

{{/* Each ConfigMap in a folder of its own: equal keys of two of them would hide each other. */}}
{{- define "countersign.clientFiles" -}}
{{- range $index, $name := include "countersign.clientConfigMaps" . | fromJsonArray }}
- volume: clients-{{ $index }}
  folder: {{ printf "clients/%s" $name | quote }}
  configMap: {{ $name | quote }}
  settings: {}
{{- end }}
{{- end -}}

{{/* The files of the test, each under a name of its own: it reads no private key but that of the gateway. */}}
{{- define "countersign.testFiles" -}}
{{- with .Values.proxyTrust.gatewayCertificate.serverSecretName }}
- volume: server
  secret: {{ . | quote }}
  items: {tls.crt: tls.crt}
{{- end }}
{{- if .Values.tests.client.clientId }}
{{- with .Values.tests.client }}
- volume: client
  secret: {{ .certificateSecretName | quote }}
  items: { {{- .certificateKey }}: certificate}
{{- with .gatewaySecretName }}
- volume: gateway
  secret: {{ . | quote }}
  items: {tls.crt: tls.crt, tls.key: tls.key}
{{- end }}
{{- end }}
{{- with .Values.proxyTrust.secretRef }}{{ if .name }}
- volume: proxy-secret
  secret: {{ .name | quote }}
  items: { {{- .key }}: secret}
{{- end }}{{ end }}
{{- end }}
{{- end -}}

{{- define "countersign.clientCaFiles" -}}
{{- with .Values.clientCa }}
{{- include "countersign.configMapOrSecretFile" (dict "volume" "client-ca" "setting" "CLIENT_CA_FILE" "configMap" .configMapRef "secret" .secretRef) }}
{{- end }}
{{- end -}}

{{- define "countersign.redisFiles" -}}
{{- with .urlSecretRef }}{{ if .name }}
- volume: redis-url
  secret: {{ .name | quote }}
  settings: {REDIS_URL_FILE: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with .root.Values.redis }}
{{- include "countersign.configMapOrSecretFile" (dict "volume" "redis-ca" "setting" "REDIS_CA_FILE" "configMap" .caConfigMapRef "secret" .caSecretRef) }}
{{- with .certificateSecretName }}
- volume: redis-certificate
  secret: {{ . | quote }}
  settings: {REDIS_CERTIFICATE_FILE: tls.crt, REDIS_CERTIFICATE_KEY_FILE: tls.key}
{{- end }}
{{- end }}
{{- end -}}

{{- define "countersign.configMapOrSecretFile" -}}
{{- if or .configMap.name .secret.name }}
- volume: {{ .volume }}
  {{- if .configMap.name }}
  configMap: {{ .configMap.name | quote }}
  settings: { {{- .setting }}: {{ .configMap.key | quote }}}
  {{- else }}
  secret: {{ .secret.name | quote }}
  settings: { {{- .setting }}: {{ .secret.key | quote }}}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The names of the ConfigMaps with records, as JSON. */}}
{{- define "countersign.clientConfigMaps" -}}
{{- $own := empty .Values.clients.files | ternary list (list (printf "%s-clients" (include "countersign.fullname" .))) -}}
{{- concat $own (.Values.clients.configMaps | default list) | uniq | toJson -}}
{{- end -}}

{{/* The environment variables, mounts and volumes of a list of files. */}}
{{- define "countersign.fileEnv" -}}
{{- range $file := . }}
{{- range $setting, $path := .settings }}
- name: COUNTERSIGN_{{ $setting }}
  value: {{ printf "/etc/countersign/%s/%s" $file.volume $path | trimSuffix "/" }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "countersign.fileMounts" -}}
{{- range . }}
- name: {{ .volume }}
  mountPath: {{ printf "/etc/countersign/%s" (default .volume .folder) | quote }}
  readOnly: true
{{- end }}
{{- end -}}

{{/*
Mode 0440, in decimal, since YAML 1.1 and 1.2 differ about octal numbers: the server rejects a secret that every user can read,
and reads it by its group. Of a Secret, only the keys that are read are mounted: it may have others, such as the key of a CA.
*/}}
{{- define "countersign.fileVolumes" -}}
{{- range . }}
- name: {{ .volume }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret | quote }}
    defaultMode: 288
    {{- if .items }}
    items:
      {{- range $key, $path := .items }}
      - key: {{ $key | quote }}
        path: {{ $path | quote }}
      {{- end }}
    {{- else if not (has "" (values .settings)) }}
    items:
      {{- range values .settings | sortAlpha }}
      - key: {{ . | quote }}
        path: {{ . | quote }}
      {{- end }}
    {{- end }}
  {{- else }}
  configMap:
    name: {{ .configMap | quote }}
  {{- end }}
{{- end }}
{{- end -}}
