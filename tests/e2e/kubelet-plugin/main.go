// Looks up credentials for images by the kubelet's own code: it reads a CredentialProviderConfig, runs the providers
// that are named in it, and finds the image's credentials among what they answer. What a kubelet asks the API server for
// is given: the pods' service accounts and their tokens.
//
// On stdin it takes a JSON object, see `task`; all images of all pods are looked up at the same time. It prints another,
// see `outcome`.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

type task struct {
	// Config is a file or a directory, as for the kubelet's --image-credential-provider-config.
	Config string `json:"config"`
	// Programs is the directory of --image-credential-provider-bin-dir.
	Programs string `json:"programs"`
	Pods     []pod  `json:"pods"`
}

type pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Account is empty for a static pod, which has no service account.
	Account     string            `json:"account"`
	Annotations map[string]string `json:"annotations"`
	Token       string            `json:"token"`
	Images      []string          `json:"images"`
}

type outcome struct {
	// Error is why the kubelet would not start.
	Error string `json:"error"`
	// Found has the credentials for each pod and image, in their order.
	Found [][][]credential `json:"found"`
	// Audiences are those that tokens were asked for with, each once.
	Audiences []string `json:"audiences"`
	// Log is what the kubelet would have logged.
	Log string `json:"log"`
}

type credential struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func main() {
	var given task
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		fmt.Fprintln(os.Stderr, "the task:", err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(carryOut(given)); err != nil {
		fmt.Fprintln(os.Stderr, "the outcome:", err)
		os.Exit(2)
	}
}

func carryOut(given task) outcome {
	var log bytes.Buffer
	logTo(&log)
	server := &apiServer{pods: given.Pods}
	if err := plugin.RegisterCredentialProviderPlugins(given.Config, given.Programs, server.token, server.account); err != nil {
		return outcome{Error: err.Error()}
	}
	found := lookUp(given.Pods)
	klog.Flush()
	return outcome{Found: found, Audiences: server.audiences, Log: log.String()}
}

// logTo takes each line of klog's once, and nothing of it goes to stderr.
func logTo(log io.Writer) {
	settings := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(settings)
	arguments := []string{"-logtostderr=false", "-stderrthreshold=FATAL", "-one_output=true"}
	if err := settings.Parse(arguments); err != nil {
		panic(err)
	}
	klog.SetOutput(log)
}

// lookUp asks for every image of every pod at the same time.
func lookUp(pods []pod) [][][]credential {
	var all sync.WaitGroup
	found := make([][][]credential, len(pods))
	for i, pod := range pods {
		keyring := plugin.NewExternalCredentialProviderDockerKeyring(pod.Namespace, pod.Name, string(pod.uid()), pod.Account)
		found[i] = make([][]credential, len(pod.Images))
		for j, image := range pod.Images {
			all.Go(func() { found[i][j] = credentials(keyring, image) })
		}
	}
	all.Wait()
	return found
}

// credentials are those that the kubelet pulls with, one after the other until one of them does.
func credentials(keyring credentialprovider.DockerKeyring, image string) []credential {
	configs, _ := keyring.Lookup(image)
	found := make([]credential, len(configs))
	for i, config := range configs {
		found[i] = credential{Username: config.Username, Password: config.Password}
	}
	return found
}

// apiServer answers what a kubelet asks the API server for its credential providers.
type apiServer struct {
	pods      []pod
	mutex     sync.Mutex
	audiences []string
}

func (s *apiServer) account(namespace, name string) (*corev1.ServiceAccount, error) {
	for _, pod := range s.pods {
		if pod.Namespace == namespace && pod.Account == name {
			meta := metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid(namespace, name), Annotations: pod.Annotations}
			return &corev1.ServiceAccount{ObjectMeta: meta}, nil
		}
	}
	return nil, fmt.Errorf("no service account %s/%s", namespace, name)
}

func (s *apiServer) token(namespace, name string, asked *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error) {
	s.note(asked.Spec.Audiences)
	for _, pod := range s.pods {
		if pod.Namespace == namespace && pod.Account == name && pod.uid() == asked.Spec.BoundObjectRef.UID {
			return &authenticationv1.TokenRequest{Status: authenticationv1.TokenRequestStatus{Token: pod.Token}}, nil
		}
	}
	return nil, fmt.Errorf("no pod %s of service account %s/%s", asked.Spec.BoundObjectRef.Name, namespace, name)
}

func (s *apiServer) note(audiences []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, audience := range audiences {
		if !slices.Contains(s.audiences, audience) {
			s.audiences = append(s.audiences, audience)
		}
	}
}

func (p pod) uid() types.UID {
	return uid(p.Namespace, p.Name)
}

func uid(namespace, name string) types.UID {
	return types.UID(namespace + "/" + name)
}
