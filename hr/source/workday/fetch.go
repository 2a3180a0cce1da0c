package workday

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/secret"
)

// opFetch names the operation in a remote.Error.
const opFetch = "fetch"

// fetcher gets a worker by the operation Get_Workers. It signs in by a WS-Security
// UsernameToken.
type fetcher struct {
	http     *http.Client
	answers  *remote.Answers
	url      *url.URL
	username string
	password secret.Secret
}

// request is the SOAP request for one worker. fetch replaces %TYPE% and the like by escaped
// texts.
const request = `<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wd="urn:com.workday/bsvc" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
<env:Header><wsse:Security env:mustUnderstand="1"><wsse:UsernameToken><wsse:Username>%USERNAME%</wsse:Username><wsse:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText">%PASSWORD%</wsse:Password></wsse:UsernameToken></wsse:Security></env:Header>
<env:Body><wd:Get_Workers_Request><wd:Request_References><wd:Worker_Reference><wd:ID wd:type="%TYPE%">%ID%</wd:ID></wd:Worker_Reference></wd:Request_References><wd:Response_Group><wd:Include_Reference>true</wd:Include_Reference><wd:Include_Personal_Information>true</wd:Include_Personal_Information><wd:Include_Additional_Jobs>true</wd:Include_Additional_Jobs><wd:Include_Employment_Information>true</wd:Include_Employment_Information><wd:Include_Organizations>true</wd:Include_Organizations><wd:Include_Transaction_Log_Data>true</wd:Include_Transaction_Log_Data></wd:Response_Group></wd:Get_Workers_Request></env:Body>
</env:Envelope>`

// fetch is the source.Fetch of one tenant. A reference holds the type of an ID and the ID:
// "Employee_ID=21008".
func (f *fetcher) fetch(ctx context.Context, reference string) ([]byte, error) {
	kind, id, ok := strings.Cut(reference, "=")
	if !ok {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the reference has no type of ID"}
	}
	password, err := f.password.Reveal()
	if err != nil {
		return nil, remote.NoSecret(opFetch, "password", err)
	}
	body := strings.NewReplacer("%USERNAME%", escape(f.username), "%PASSWORD%", escape(password),
		"%TYPE%", escape(kind), "%ID%", escape(id)).Replace(request)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url.String(), strings.NewReader(body))
	if err != nil {
		return nil, &remote.Error{Kind: remote.Invalid, Op: opFetch, Message: "the url setting is no URL", Cause: err}
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	answer, err := remote.Call(f.http, f.answers, opFetch, "Workday", req)
	if err != nil {
		return nil, faultOf(answer, err)
	}
	return answer, nil
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer never fails
	return b.String()
}

// faultOf returns the error that a SOAP fault means, because Workday also answers 500 to
// requests that it refuses. The fault's text may name somebody, so it is not repeated.
func faultOf(answer []byte, err error) error {
	document, refusal := parse(answer)
	if refusal != nil {
		return err
	}
	code := document.first("faultcode")
	if code == nil {
		return err
	}
	switch {
	case strings.HasSuffix(code.said(), "authenticationError"):
		return &remote.Error{Kind: remote.Unauthorized, Op: opFetch, Message: "Workday refuses the credentials: check the username and password settings", Cause: err}
	case strings.HasSuffix(code.said(), "processingFault"):
		return &remote.Error{Kind: remote.Forbidden, Op: opFetch, Message: "Workday does not let this user run Get_Workers: add the domain Worker Data: Workers to its security group", Cause: err}
	case strings.HasSuffix(code.said(), "validationError"):
		return &remote.Error{Kind: remote.NotFound, Op: opFetch, Message: "Workday knows no such worker", Cause: err}
	default:
		return err
	}
}
