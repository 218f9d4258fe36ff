"""An exchange full of secrets."""

from wire import conversation, request, response

ASKED = request(
    "/account?page=7&token=query-5d9e&access_token=pass-77b3-x&sort=up",
    "Authorization: Basic Zm9vOmJhcg==",
    "Cookie: a=b; sid=session-4f7a",
    "X-Consul-Token: consul-3b1e",
    "Ocp-Apim-Subscription-Key: azure-9c40",
    "X-Custom: custom-e2d7",
    "uberctx-user: baggage-6f05",
    "Referer: http://raw.test/?token=query-5d9e",
)
ANSWER = response(200, "X-Answer: answer-5a9f", "Set-Cookie: granted-81c2; Path=/", body=b"welcome")
CASES = {"secrets": conversation((ASKED, ANSWER))}
