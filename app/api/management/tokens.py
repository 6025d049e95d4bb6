"""Access tokens that shall not hold any more."""

from app.api.answers import Response, no_content
from app.api.bodies import read_body
from app.api.context import caller, catalog, services
from app.api.context import warehouse as realm
from app.api.declarations import IDEMPOTENCY_KEY
from app.api.management.operations import ManagementOperations
from app.api.needs import SECURITY
from app.api.schemas.management_principals import RevokeTokensRequestSchema
from app.auth.oauth import EXPIRED_FOR
from app.auth.tokens import AccessToken, InvalidToken
from app.catalog import principals
from app.catalog.access_tokens import revoke_token
from app.errors import BadRequestException, ForbiddenException, NotFoundException

resource = ManagementOperations("tokens")


@resource.operation(
    "POST",
    "/tokens/revoke",
    "Revoke an access token, or all of a principal",
    takes=(IDEMPOTENCY_KEY,),
    body=RevokeTokensRequestSchema,
    fails=(ForbiddenException, NotFoundException),
    needs=SECURITY,
)
def revoke_tokens() -> Response:
    given = {name: text for name, text in read_body(RevokeTokensRequestSchema).items() if text is not None}
    if len(given) != 1:
        raise BadRequestException("Invalid request body: expected exactly one of token, jti, principal")
    if "principal" in given:
        principals.end_tokens(catalog(), caller(), realm(), given["principal"])
    elif "jti" in given:
        revoke_token(catalog(), caller(), realm(), given["jti"], None)
    else:
        token = _read(given["token"])
        revoke_token(catalog(), caller(), realm(), token.id, token.expires_at)
    return no_content()


def _read(text: str) -> AccessToken:
    issuer = services().issuer
    try:
        if issuer is None:
            raise InvalidToken("this server gives out none")
        return issuer.signer.read(text, expired_for=EXPIRED_FOR)
    except InvalidToken as error:
        raise BadRequestException(f"Invalid token: {error}") from error
