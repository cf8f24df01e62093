{{- define "countersign.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 46 characters, so that suffixes fit into 63; and no dots, which a release may have, and a Service may not. */}}
{{- define "countersign.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $generated := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $generated .Values.fullnameOverride | replace "." "-" | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{- define "countersign.serviceAccountName" -}}
{{- default (.Values.serviceAccount.create | ternary (include "countersign.fullname" .) "default") .Values.serviceAccount.name -}}
{{- end -}}

{{- define "countersign.image" -}}
{{- with .Values.image -}}
{{- .digest | empty | ternary (printf "%s:%s" .repository (default $.Chart.AppVersion .tag)) (printf "%s@%s" .repository .digest) -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of a component. Immutable in a Deployment. */}}
{{- define "countersign.selectorLabels" -}}
app.kubernetes.io/name: {{ include "countersign.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Without the version of the chart, so that a new one does not replace the pods. What selects pods cannot be replaced. */}}
{{- define "countersign.podLabels" -}}
{{- $version := dict "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- merge (include "countersign.selectorLabels" . | fromYaml) (.root.Values.podLabels | default dict) $version (.root.Values.commonLabels | default dict) | toYaml -}}
{{- end -}}

{{- define "countersign.labels" -}}
{{- $own := dict
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- merge (include "countersign.selectorLabels" . | fromYaml) $own (.labels | default dict) (.root.Values.commonLabels | default dict) | toYaml -}}
{{- end -}}

{{/*
`metadata` of an object: `root` and `component`; its `name`, or the `suffix` of the usual one; and the `labels` and
`annotations` that it has beside the common ones.
*/}}
{{- define "countersign.metadata" -}}
name: {{ default (printf "%s%s" (include "countersign.fullname" .root) (default "" .suffix)) .name | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "countersign.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
