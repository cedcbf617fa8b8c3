// Drives docker-credential-ecr-login through docker's own client library, which docker, podman, buildah, skopeo, crane and nerdctl
// use: every verb and every kind of error. It expects the helper on PATH and, in the environment, credentials that the AWS
// of AWS_ENDPOINT_URL takes. The argument is an ECR host that it answers for.
//
// It prints one line for each thing that is not as it should be, and exits 1 if there were any.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
)

const (
	notECR  = "registry.example.com"
	unasked = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
)

var failures int

func expect(ok bool, format string, args ...any) {
	if !ok {
		failures++
		fmt.Printf(format+"\n", args...)
	}
}

func main() {
	host := os.Args[1]
	helper := client.NewShellProgramFunc("docker-credential-ecr-login")

	get(helper, host)
	errorsOfGet(helper, host)
	list(helper, host)
	storeAndErase(helper, unasked)
	errorsOfStoreAndErase(helper)

	if failures > 0 {
		os.Exit(1)
	}
	fmt.Println("ok")
}

func get(helper client.ProgramFunc, host string) {
	for _, asked := range []string{host, "https://" + host, host + ":443", "https://" + host + "/v2/"} {
		found, err := client.Get(helper, asked)
		if err != nil {
			expect(false, "get %s: %v", asked, err)
			continue
		}
		expect(found.Username == "AWS", "get %s: the user is %q, not AWS", asked, found.Username)
		expect(found.Secret != "", "get %s: no secret", asked)
		expect(found.ServerURL == asked, "get %s: the answer is for %q", asked, found.ServerURL)
	}
}

func errorsOfGet(helper client.ProgramFunc, host string) {
	_, err := client.Get(helper, notECR)
	expect(credentials.IsErrCredentialsNotFound(err), "get %s: not 'not found' but %v", notECR, err)

	expectMissingServerURL(helper, "get", "")
	expectMissingServerURL(helper, "get", " \n")

	// An ECR host without credentials is "not found" too: whoever asks may go on without.
	poor := client.NewShellProgramFuncWithEnv("docker-credential-ecr-login", &map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_ECR_DISABLE_CACHE": "1",
	})
	_, err = client.Get(poor, host)
	expect(credentials.IsErrCredentialsNotFound(err), "get %s without credentials: not 'not found' but %v", host, err)

	strict := client.NewShellProgramFuncWithEnv("docker-credential-ecr-login", &map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_ECR_DISABLE_CACHE": "1",
		"AWS_ECR_STRICT": "true",
	})
	_, err = client.Get(strict, host)
	expect(err != nil && !credentials.IsErrCredentialsNotFound(err), "get %s, strict, without credentials: %v", host, err)
	expect(strings.Contains(fmt.Sprint(err), "no AWS credentials"), "get %s, strict: the reason is not in %v", host, err)
	_, err = client.Get(strict, notECR)
	expect(credentials.IsErrCredentialsNotFound(err), "get %s, strict: not 'not found' but %v", notECR, err)
}

func list(helper client.ProgramFunc, host string) {
	listed, err := client.List(helper)
	expect(err == nil, "list: %v", err)
	expect(listed[host] == "AWS", "list: %s is not in it: %v", host, listed)
	expect(listed[unasked] == "", "list: %s is in it, which nobody asked for: %v", unasked, listed)
}

func storeAndErase(helper client.ProgramFunc, host string) {
	login := credentials.Credentials{ServerURL: host, Username: "AWS", Secret: "a-password-given-to-docker-login"}
	err := client.Store(helper, &login)
	expect(err == nil, "store %s: %v", host, err)

	found, err := client.Get(helper, host)
	expect(err == nil && found.Secret == login.Secret, "get %s: not the login that was stored: %v", host, err)
	listed, err := client.List(helper)
	expect(err == nil && listed[host] == "AWS", "list: the login to %s is not in it: %v, %v", host, listed, err)

	err = client.Erase(helper, host)
	expect(err == nil, "erase %s: %v", host, err)
	found, err = client.Get(helper, host)
	expect(err == nil && found.Secret != login.Secret, "get %s: the login is still there after erase: %v", host, err)

	err = client.Erase(helper, host)
	expect(err == nil, "erase %s: %v", host, err)
	err = client.Erase(helper, host)
	expect(err == nil, "erase %s, where nothing is stored: %v", host, err)
	listed, err = client.List(helper)
	expect(err == nil && listed[host] == "", "list: %s is in it after erase: %v, %v", host, listed, err)
}

func errorsOfStoreAndErase(helper client.ProgramFunc) {
	expectMissingServerURL(helper, "erase", "")
	expectMissingServerURL(helper, "store", `{"ServerURL":"","Username":"AWS","Secret":"x"}`)
	said := saidInFailing(helper, "store", `{"ServerURL":"`+unasked+`","Username":"","Secret":"x"}`)
	expect(credentials.IsCredentialsMissingUsernameMessage(said), "store without a user: %q", said)

	elsewhere := credentials.Credentials{ServerURL: notECR, Username: "someone", Secret: "a-secret-of-someone"}
	err := client.Store(helper, &elsewhere)
	expect(err != nil, "store %s: kept, though this helper is for ECR alone", notECR)
	expect(strings.Contains(fmt.Sprint(err), notECR), "store %s: the error does not name it: %v", notECR, err)
	expect(!strings.Contains(fmt.Sprint(err), elsewhere.Secret), "store %s: the error holds the secret", notECR)
}

// expectMissingServerURL asks the library about what the helper says, as it does itself in Get, Store and Erase. They make that
// kind of error of it, but hand it on inside another one by its words alone ("err: %v"), for which IsCredentialsMissingServerURL
// is false whatever the helper says; a library that begins to wrap it is noticed here.
func expectMissingServerURL(helper client.ProgramFunc, verb, input string) {
	said := saidInFailing(helper, verb, input)
	expect(credentials.IsCredentialsMissingServerURLMessage(said), "%s of %q: not 'no credentials server URL' but %q", verb, input, said)
	expect(!credentials.IsErrCredentialsNotFoundMessage(said), "%s of %q: 'not found' as well: %q", verb, input, said)
	var err error
	switch verb {
	case "get":
		_, err = client.Get(helper, input)
	case "erase":
		err = client.Erase(helper, input)
	case "store":
		err = client.Store(helper, &credentials.Credentials{Username: "AWS", Secret: "x"})
	}
	kind := credentials.NewErrCredentialsMissingServerURL()
	expect(strings.Contains(fmt.Sprint(err), "err: "+kind.Error()+","), "%s of %q: another kind of error: %v", verb, input, err)
	expect(!credentials.IsCredentialsMissingServerURL(err), "%s of %q: the library wraps errors now: ask for their kind alone", verb, input)
}

// saidInFailing is the helper's stdout, where it fails as it should.
func saidInFailing(helper client.ProgramFunc, verb, input string) string {
	program := helper(verb)
	program.Input(strings.NewReader(input))
	said, err := program.Output()
	expect(err != nil, "%s of %q succeeded", verb, input)
	return string(said)
}
