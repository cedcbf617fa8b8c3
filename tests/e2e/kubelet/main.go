// Asks a credential provider as the kubelet does, with Kubernetes' own types: requests are encoded in a version of the
// API, and answers decoded strictly. The arguments are the program and what is said to it. On stdin it takes a JSON list
// of requests, which are made all at the same time, and it prints the list of what came of them.
//
// The steps are those of execPlugin in Kubernetes' pkg/credentialprovider/plugin/plugin.go. That code itself is what
// ../kubelet-plugin runs; but it keeps the answers to itself.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	metajson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/kubelet/pkg/apis/credentialprovider"
	"k8s.io/kubelet/pkg/apis/credentialprovider/install"
)

// patience is how long the kubelet waits for a provider.
const patience = time.Minute

var (
	scheme = runtime.NewScheme()
	codecs = serializer.NewCodecFactory(scheme, serializer.EnableStrict)
)

func init() {
	install.Install(scheme)
}

type request struct {
	// Version is one of the API: `v1`.
	Version     string            `json:"version"`
	Image       string            `json:"image"`
	Token       string            `json:"token"`
	Annotations map[string]string `json:"annotations"`
	// Env is what the provider's entry in the kubelet's configuration adds to the environment: `NAME=VALUE`.
	Env []string `json:"env"`
}

type outcome struct {
	// Response is the kubelet's own, of no version; none where Error says what is wrong.
	Response *credentialprovider.CredentialProviderResponse `json:"response"`
	Error    string                                         `json:"error"`
	Exit     int                                            `json:"exit"`
	Stdout   string                                         `json:"stdout"`
	Stderr   string                                         `json:"stderr"`
}

func main() {
	var requests []request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		fmt.Fprintln(os.Stderr, "the requests:", err)
		os.Exit(2)
	}
	outcomes := make([]outcome, len(requests))
	var all sync.WaitGroup
	for i, request := range requests {
		all.Go(func() { outcomes[i] = ask(request, os.Args[1], os.Args[2:]) })
	}
	all.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		fmt.Fprintln(os.Stderr, "the outcomes:", err)
		os.Exit(2)
	}
}

func ask(request request, program string, args []string) outcome {
	version := schema.GroupVersion{Group: credentialprovider.GroupName, Version: request.Version}
	input, err := encode(request, version)
	if err != nil {
		return outcome{Error: fmt.Sprintf("the request: %v", err)}
	}
	outcome, err := run(input, request.Env, program, args)
	if err == nil {
		outcome.Response, err = decode([]byte(outcome.Stdout), version)
	}
	if err != nil {
		outcome.Error = err.Error()
	}
	return outcome
}

func encode(request request, version schema.GroupVersion) ([]byte, error) {
	info, ok := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), runtime.ContentTypeJSON)
	if !ok {
		return nil, errors.New("no serializer for JSON")
	}
	encoder := codecs.EncoderForVersion(info.Serializer, version)
	return runtime.Encode(encoder, &credentialprovider.CredentialProviderRequest{
		Image:                     request.Image,
		ServiceAccountToken:       request.Token,
		ServiceAccountAnnotations: request.Annotations,
	})
}

func run(input []byte, env []string, program string, args []string) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, program, args...)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &stdout, &stderr
	command.Env = append(os.Environ(), env...)
	err := command.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return outcome{Exit: command.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}, err
}

func decode(output []byte, asked schema.GroupVersion) (*credentialprovider.CredentialProviderResponse, error) {
	kind, err := metajson.DefaultMetaFactory.Interpret(output)
	if err != nil {
		return nil, fmt.Errorf("no kind of anything: %w", err)
	}
	if kind.GroupVersion() != asked {
		return nil, fmt.Errorf("asked in %s, answered in %s", asked, kind.GroupVersion())
	}
	object, _, err := codecs.UniversalDecoder().Decode(output, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("not decoded: %w", err)
	}
	response, ok := object.(*credentialprovider.CredentialProviderResponse)
	if !ok {
		return nil, fmt.Errorf("a %s is no CredentialProviderResponse", kind.Kind)
	}
	return response, nil
}
