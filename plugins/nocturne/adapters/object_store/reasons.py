"""What the texts of stores and of their client mean.

The client tells failures apart by text alone: a list request raises the same class whatever went wrong. The first pattern that is
found decides; its groups go into the reason and the advice.
Codes of Azure: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and .../common-rest-api-error-codes,
of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

_CONNECTION = "the model store's connection"
_CLOCK = "set this machine's clock (NTP): stores accept requests that are at most 15 minutes off"
_NEW_SAS = f"put a new one into {_CONNECTION}"

_AZURE = (
    (r"<Code>(?:ContainerNotFound|ContainerBeingDeleted)<", "the container does not exist", "create it, or correct its name"),
    (r"<Code>ResourceNotFound<", "the storage account does not exist there", "correct the account's name or its URL"),
    (r"<Code>AccountIsDisabled<", "the storage account is disabled", "look at the account in the Azure portal"),
    (r"Request date header too old: '([^']+)'", "this machine's clock is wrong: the request says {0}", _CLOCK),
    (
        r"Signature not valid in the specified time frame: Start \[([^\]]+)\] - Expiry \[([^\]]+)\] - Current \[([^\]]+)\]",
        "the SAS token is good from {0} to {1}, and it is {2}",
        _NEW_SAS,
    ),
    (
        r"<Code>KeyBasedAuthenticationNotPermitted<",
        "the storage account allows no keys",
        f"give {_CONNECTION} a service principal or an identity",
    ),
    (
        r"<Code>InvalidAuthenticationInfo<",
        "the identity's token is not accepted",
        "the identity has to belong to the tenant of the storage account's subscription",
    ),
    (
        r"<Code>AuthorizationFailure</Code>\s*<Message>This request is not authorized",
        "the storage account's network rules do not let this machine in",
        "add its address or its network to the account's firewall",
    ),
    (
        r"<Code>(?:AuthorizationPermissionMismatch|AuthorizationResourceTypeMismatch|AuthorizationServiceMismatch|InsufficientAccount\w+)<",
        "the credentials are good, but do not allow this",
        "give them the right to read, write and list blobs (Storage Blob Data Contributor)",
    ),
    (
        r"MAC signature found in the HTTP request|Signature did not match",
        "the key is not this account's",
        f"correct the password or the SAS token of {_CONNECTION}",
    ),
)

_S3 = (
    (r"<Code>NoSuchBucket<", "the bucket does not exist", "create it, or correct its name"),
    (
        r"the region '([^']+)' is wrong; expecting '([^']+)'",
        "the bucket is in the region {1}, not in {0}",
        "correct extra.region_name of " + _CONNECTION + " to {1}",
    ),
    (
        r"<Code>(?:PermanentRedirect|IllegalLocationConstraintException)<|status code: 30[17] |Received redirect without LOCATION",
        "the bucket is in another region",
        f"correct extra.region_name of {_CONNECTION}",
    ),
    (r"<Code>InvalidAccessKeyId<", "nobody has this access key id", f"correct the login of {_CONNECTION}"),
    (
        r"<Code>SignatureDoesNotMatch<",
        "the secret access key is not that of the access key id",
        f"correct the password of {_CONNECTION}",
    ),
    (
        r"<Code>(?:ExpiredToken|TokenRefreshRequired)<",
        "the session token has ended",
        f"put new keys into {_CONNECTION}, or a role in place of them",
    ),
    (
        r"<Code>InvalidToken<",
        "the session token does not belong to the access key",
        f"correct extra.aws_session_token of {_CONNECTION}",
    ),
    (r"<Code>RequestTimeTooSkewed<[\s\S]*?<ServerTime>([^<]+)<", "this machine's clock is wrong: the store's says {0}", _CLOCK),
    (r"<Code>RequestTimeTooSkewed<", "this machine's clock is wrong", _CLOCK),
    (
        r"<Code>(?:AccessDenied|AllAccessDisabled|AccountProblem)<",
        "the credentials are good, but do not allow this",
        "allow s3:ListBucket on the bucket, s3:GetObject and s3:GetObjectVersion on its objects, and s3:PutObject to who publishes",
    ),
)

_ANY = (
    (
        # Stores take names that no path on a disk can have; the client refuses a whole list for one of them.
        r'invalid path: (?:Error parsing )?Path "([^"]{0,200})',
        "the store holds a blob whose name cannot be a file's: {0!r}",
        "rename or remove that blob",
    ),
    (
        r"401 Unauthorized|403 Forbidden|Error getting credentials",
        "the credentials were refused (wrong or expired key, SAS token or identity)",
        f"correct the password or the SAS token of {_CONNECTION}",
    ),
    (r"dns error", "its host name is unknown", "correct the account's name or its URL, or see to the network's name service"),
    (r"ConnectionRefused", "nothing listens at its address", "start the store, or correct its URL"),
    (
        r"(?i)certificate|InvalidTls|HandshakeFailure",
        "its TLS certificate is not trusted",
        "add its authority to the system's, or name it in SSL_CERT_FILE",
    ),
    (r"(?i)timed ?out|deadline|Request Timeout", "it did not answer in time", "look at the store and at the network between"),
    (r"503 Service Unavailable|429 Too Many|<Code>(?:ServerBusy|SlowDown)<", "it is too busy", "try again later"),
    (
        r"HTTP error: |IncompleteMessage|ConnectionReset",
        "the connection breaks off again and again",
        "look at the store and at the network between",
    ),
)

REASONS: tuple[tuple[str, str, str], ...] = (*_AZURE, *_S3, *_ANY)
