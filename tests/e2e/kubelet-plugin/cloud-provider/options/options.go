// Package options stands in for the one of k8s.io/cloud-provider. The kubelet's code takes a constant from there, of
// which it has no use here, and with the rest comes nearly all of the API server: three more minutes to compile.
package options

// CloudControllerManagerWebhookPort is what k8s.io/cloud-provider says it is.
const CloudControllerManagerWebhookPort = 10260
