"""An exchange full of secrets."""

from wire import conversation, request, response

ASKED = request(
    "/account?page=7&token=query-5d9e&access_token=pass-77b3-x&sort=up",
    "Authorization: Basic Zm9vOmJhcg==",
    "Cookie: a=b; sid=session-4f7a",
    "Referer: http://raw.test/?token=query-5d9e",
)
ANSWER = response(200, "Set-Cookie: granted-81c2; Path=/", body=b"welcome")
CASES = {"secrets": conversation((ASKED, ANSWER))}
