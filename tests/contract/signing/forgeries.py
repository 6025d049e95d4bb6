"""Requests that must never be signed: what somebody sends who may use one table and wants another one's files."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.contract.signing.signed import Signed

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Forgery(NamedTuple):
    """A request in pieces; texts may have ``{bucket}``, ``{path}`` (the table's), ``{parent}``, ``{host}``."""

    name: str
    uri: str = "http://{host}/{bucket}/{path}/x"
    method: str = "GET"
    headers: dict[str, str | list[str]] = {}
    body: str | None = None
    more: dict[str, Any] = {}

    def request(self, signed: Signed) -> dict[str, Any]:
        """Return the body of the sign request."""
        return {
            "region": signed.minio.region,
            "uri": fill(self.uri, signed),
            "method": self.method,
            "headers": {
                name: [fill(item, signed) for item in ([value] if isinstance(value, str) else value)]
                for name, value in self.headers.items()
            },
            **({} if self.body is None else {"body": fill(self.body, signed)}),
            **self.more,
        }


def fill(text: str, signed: Signed) -> str:
    parent, _, name = signed.path.rpartition("/")
    pieces = {
        "bucket": signed.bucket,
        "path": signed.path,
        "parent": parent,
        "name": name,
        "host": signed.minio.endpoint.removeprefix("http://"),
        "port": str(signed.minio.port),
        "encoded": quote(signed.path, safe=""),
    }
    for piece, value in pieces.items():
        text = text.replace("{" + piece + "}", value)
    return text


OBJECT = "http://{host}/{bucket}/{path}/x"
BUCKET = "http://{host}/{bucket}"
PLACES = {
    "sibling with the same beginning": "http://{host}/{bucket}/{path}2/x",
    "sibling with a dash": "http://{host}/{bucket}/{path}-2/x",
    "other table": "http://{host}/{bucket}/{parent}/other/x",
    "parent": "http://{host}/{bucket}/{parent}/x",
    "location itself": "http://{host}/{bucket}/{path}",
    "location as a folder": "http://{host}/{bucket}/{path}/",
    "folder inside": "http://{host}/{bucket}/{path}/data/",
    "bucket": "http://{host}/{bucket}",
    "bucket with a slash": "http://{host}/{bucket}/",
    "all buckets": "http://{host}/",
    "no path": "http://{host}",
    "other bucket": "http://{host}/other-bucket/{path}/x",
    "bucket in capitals": "http://{host}/OTHER/{path}/x",
    "dots": "http://{host}/{bucket}/{path}/../other/x",
    "dots at the end": "http://{host}/{bucket}/{path}/x/..",
    "dots before the bucket": "http://{host}/{bucket}/../other-bucket/{path}/x",
    "dots out of the bucket": "http://{host}/other-bucket/../{bucket}/{path}/x",
    "one dot": "http://{host}/{bucket}/{path}/./x",
    "encoded dots": "http://{host}/{bucket}/{path}/%2e%2e/other/x",
    "half encoded dots": "http://{host}/{bucket}/{path}/.%2E/other/x",
    "encoded dots and slash": "http://{host}/{bucket}/{path}%2F..%2Fother%2Fx",
    "doubly encoded dots": "http://{host}/{bucket}/{path}/%252e%252e/other/x",
    "doubly encoded dots and slash": "http://{host}/{bucket}/{path}/%252e%252e%252fother/x",
    "triply encoded dots": "http://{host}/{bucket}/{path}/%25252e%25252e/other/x",
    "slash of two bytes": "http://{host}/{bucket}/{path}%c0%afx",
    "dots of two bytes": "http://{host}/{bucket}/{path}/%c0%ae%c0%ae/x",
    "not UTF-8": "http://{host}/{bucket}/{path}/%ff",
    "half a percent sequence": "http://{host}/{bucket}/{path}/%2",
    "no percent sequence": "http://{host}/{bucket}/{path}/%zz",
    "empty segment": "http://{host}/{bucket}/{path}//x",
    "empty segment in front": "http://{host}/{bucket}//{path}/x",
    "encoded empty segment": "http://{host}/{bucket}/{path}/%2Fx",
    "no bucket": "http://{host}//{bucket}/{path}/x",
    "backslash": "http://{host}/{bucket}/{path}/..\\other",
    "encoded backslash": "http://{host}/{bucket}/{path}/..%5cother",
    "NUL": "http://{host}/{bucket}/{path}/x%00.parquet",
    "line break": "http://{host}/{bucket}/{path}/x%0d%0aX-Amz-Acl:public-read",
    "delete character": "http://{host}/{bucket}/{path}/%7f",
    "C1 control character": "http://{host}/{bucket}/{path}/%c2%85",
    "raw space": "http://{host}/{bucket}/{path}/a b",
    "raw tab": "http://{host}/{bucket}/{path}/a\tb",
    "raw line break": "http://{host}/{bucket}/{path}/a\nb",
    "raw letters beyond ASCII": "http://{host}/{bucket}/{path}/ü",
    "raw brackets": "http://{host}/{bucket}/{path}/<x>",
    "key too long": "http://{host}/{bucket}/{path}/" + "x" * 1024,
    "semicolon parameters": "http://{host}/{bucket}/{parent}/;x/../x",
}
HOSTS = {
    "other host": "http://evil.example.com/{bucket}/{path}/x",
    "metadata service": "http://169.254.169.254/{bucket}/{path}/x",
    "name of the host behind": "http://{host}.evil.example.com/{bucket}/{path}/x",
    "name of the host before": "http://evil.example.com.{host}/{bucket}/{path}/x",
    "bucket before a host that knows no buckets": "http://{bucket}.{host}/{path}/x",
    "first folder taken for a bucket": "http://some-bucket.{host}/{bucket}/{path}/x",
    "host in capitals": "http://LOCALHOST:{port}/{bucket}/{path}/x",
    "trailing dot": "http://127.0.0.1.:{port}/{bucket}/{path}/x",
    "other spelling of the address": "http://127.1:{port}/{bucket}/{path}/x",
    "address as a number": "http://2130706433:{port}/{bucket}/{path}/x",
    "address of version 6": "http://[::ffff:127.0.0.1]:{port}/{bucket}/{path}/x",
    "other port": "http://127.0.0.1:1/{bucket}/{path}/x",
    "no port": "http://127.0.0.1/{bucket}/{path}/x",
    "port with zeros": "http://127.0.0.1:0{port}/{bucket}/{path}/x",
    "other scheme": "https://{host}/{bucket}/{path}/x",
    "scheme in capitals": "HTTP://{host}/{bucket}/{path}/x",
    "scheme of files": "s3://{bucket}/{path}/x",
    "user": "http://user@{host}/{bucket}/{path}/x",
    "user and password": "http://{host}:80@evil.example.com/{bucket}/{path}/x",
    "backslash before the host": "http://evil.example.com\\@{host}/{bucket}/{path}/x",
    "fragment": "http://{host}/{bucket}/{path}/x#y",
    "empty fragment": "http://{host}/{bucket}/{path}/x#",
    "host of AWS": "https://s3.us-east-1.amazonaws.com/{bucket}/{path}/x",
    "encoded host": "http://127.0.0.%31:{port}/{bucket}/{path}/x",
    "no host": "http:///{bucket}/{path}/x",
}
QUERIES = {
    "version": "versionId=null",
    "access list": "acl",
    "tags": "tagging",
    "torrent": "torrent",
    "retention": "retention",
    "legal hold": "legal-hold",
    "attributes": "attributes",
    "restore": "restore",
    "select": "select&select-type=2",
    "response header": "response-content-type=text/html",
    "unknown": "x=y",
    "presigned": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00",
    "header in the query": "x-amz-copy-source=other",
    "security token in the query": "X-Amz-Security-Token=x",
    "old signature": "AWSAccessKeyId=x&Signature=y&Expires=9999999999",
    "operation of another one": "x-id=PutObject",
    "empty pair": "&",
    "pair without a name": "=x",
    "semicolon between pairs": "uploadId=x;acl",
    "encoded name": "%61cl",
    "upload twice": "uploadId=a&uploadId=b",
    "second question mark": "?acl",
    "name in capitals": "UploadId=x",
    "part without an upload": "partNumber=1",
    "lambda": "lambdaArn=x",
}
LISTINGS = {
    "first version": "prefix={path}/",
    "without a prefix": "list-type=2",
    "empty prefix": "list-type=2&prefix=",
    "prefix of the bucket": "list-type=2&prefix=/",
    "prefix without a slash": "list-type=2&prefix={path}",
    "prefix of a sibling": "list-type=2&prefix={path}2/",
    "prefix of the parent": "list-type=2&prefix={parent}/",
    "prefix twice": "list-type=2&prefix={path}/&prefix=",
    "prefix in capitals": "list-type=2&prefix={path}/&Prefix=",
    "dots in the prefix": "list-type=2&prefix={path}/../",
    "encoded dots in the prefix": "list-type=2&prefix={path}/%252e%252e/",
    "NUL in the prefix": "list-type=2&prefix={path}/%00",
    "empty segment in the prefix": "list-type=2&prefix={path}//",
    "plus in the prefix": "list-type=2&prefix={path}/+",
    "other version": "list-type=1&prefix={path}/",
    "type twice": "list-type=2&list-type=1&prefix={path}/",
    "versions": "versions&prefix={path}/",
    "uploads": "uploads&prefix={path}/",
    "location": "location",
    "policy": "policy",
    "access list": "acl",
    "events": "events=s3:ObjectCreated:*&prefix={path}/",
    "metadata of MinIO": "list-type=2&prefix={path}/&metadata=true",
    "owners": "list-type=2&prefix={path}/&fetch-owner=true",
    "odd number": "list-type=2&prefix={path}/&max-keys=-1",
    "odd encoding": "list-type=2&prefix={path}/&encoding-type=none",
}
METHODS = {
    "new bucket": ("PUT", BUCKET, None),
    "bucket removed": ("DELETE", BUCKET, None),
    "bucket seen": ("HEAD", BUCKET, None),
    "policy put": ("PUT", BUCKET + "?policy", None),
    "access list put": ("PUT", OBJECT + "?acl", None),
    "form upload": ("POST", BUCKET, None),
    "form upload to a key": ("POST", OBJECT, None),
    "patch": ("PATCH", OBJECT, None),
    "options": ("OPTIONS", OBJECT, None),
    "trace": ("TRACE", OBJECT, None),
    "method in small letters": ("get", OBJECT, None),
    "method with a line break": ("GET\n", OBJECT, None),
    "listing as a write": ("PUT", BUCKET + "?list-type=2&prefix={path}/", None),
    "deletion by GET": ("GET", BUCKET + "?delete", None),
    "deletion of a key by POST": ("POST", OBJECT + "?delete", None),
    "deletion with a value": ("POST", BUCKET + "?delete=x", "<Delete/>"),
    "deletion without a body": ("POST", BUCKET + "?delete", None),
    "part number zero": ("PUT", OBJECT + "?partNumber=0&uploadId=x", None),
    "upload without an id": ("PUT", OBJECT + "?partNumber=1&uploadId=", None),
    "start of an upload with a value": ("POST", OBJECT + "?uploads=x", None),
    "body with GET": ("GET", OBJECT, "x"),
    "body with PUT": ("PUT", OBJECT, ""),
    "body with the end of an upload": ("POST", OBJECT + "?uploadId=x", "<CompleteMultipartUpload/>"),
}
HEADERS: dict[str, dict[str, str | list[str]]] = {
    "other host": {"Host": "evil.example.com"},
    "two hosts": {"Host": ["{host}", "evil.example.com"]},
    "host twice": {"Host": "{host}", "host": "{host}"},
    "host in capitals": {"Host": "{host}.EXAMPLE"},
    "access list": {"x-amz-acl": "public-read"},
    "grant": {"x-amz-grant-read": "uri=http://acs.amazonaws.com/groups/global/AllUsers"},
    "redirect": {"x-amz-website-redirect-location": "http://evil.example.com"},
    "security token": {"x-amz-security-token": "x"},
    "own date": {"x-amz-date": "20990101T000000Z"},
    "tags": {"x-amz-tagging": "a=b"},
    "lock": {"x-amz-object-lock-mode": "COMPLIANCE"},
    "bypass of the lock": {"x-amz-bypass-governance-retention": "true"},
    "own key": {"x-amz-server-side-encryption-customer-key": "x"},
    "key of a service": {"x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:x"},
    "encryption": {"x-amz-server-side-encryption": "aws:kms"},
    "rename": {"x-amz-rename-source": "/{bucket}/{parent}/other"},
    "append": {"x-amz-write-offset-bytes": "0"},
    "payer": {"x-amz-request-payer": "requester"},
    "archive to unpack": {"x-amz-meta-snowball-auto-extract": "true"},
    "where to unpack": {"x-amz-meta-minio-snowball-prefix": "/other"},
    "order to MinIO": {"x-minio-force-delete": "true"},
    "internal metadata": {"x-amz-meta-x-amz-key": "x"},
    "other method": {"X-HTTP-Method-Override": "DELETE"},
    "other path": {"X-Original-URL": "/other"},
    "signature": {"Authorization": "AWS4-HMAC-SHA256 Credential=x"},
    "signed chunks": {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
    "chunks without a trailer": {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
    "no hash": {"x-amz-content-sha256": "x"},
    "two hashes": {"x-amz-content-sha256": ["UNSIGNED-PAYLOAD", "x"]},
    "odd trailer": {"x-amz-trailer": "x-amz-acl"},
    "line break in a value": {"Range": "bytes=0-1\r\nx-amz-acl: public-read"},
    "NUL in a value": {"Range": "\0"},
    "line break in a name": {"x\r\nx-amz-acl": "public-read"},
    "blank in a name": {"x-amz-acl ": "public-read"},
    "colon in a name": {"x-amz-acl:": "public-read"},
    "no name": {"": "x"},
    "copy from a sibling": {"x-amz-copy-source": "/{bucket}/{path}2/x"},
    "copy from another bucket": {"x-amz-copy-source": "other-bucket/{path}/x"},
    "copy by dots": {"x-amz-copy-source": "{bucket}/{path}/../other/x"},
    "copy by encoded dots": {"x-amz-copy-source": "{bucket}/{path}/%2e%2e/other/x"},
    "copy of a version": {"x-amz-copy-source": "{bucket}/{path}/x?versionId=1"},
    "copy from an access point": {
        "x-amz-copy-source": "arn:aws:s3:us-east-1:1:accesspoint/a/object/{path}/x"
    },
    "two copies": {"x-amz-copy-source": ["{bucket}/{path}/x", "{bucket}/other"]},
    "copy twice": {"x-amz-copy-source": "{bucket}/{path}/x", "X-Amz-Copy-Source": "other/x"},
    "range of no copy": {"x-amz-copy-source-range": "bytes=0-1"},
    "copy with tags": {"x-amz-copy-source": "{bucket}/{path}/x", "x-amz-tagging-directive": "REPLACE"},
}


def deleting(inside: str, root: str = "Delete", before: str = "") -> str:
    return f'{before}<{root} xmlns="{SPACE}">{inside}</{root}>'


GOOD = "<Object><Key>{path}/x</Key></Object>"
BODIES = {
    "sibling": deleting("<Object><Key>{path}2/x</Key></Object>"),
    "second key outside": deleting(GOOD + "<Object><Key>{parent}/other/x</Key></Object>"),
    "dots": deleting("<Object><Key>{path}/../other/x</Key></Object>"),
    "dots as references": deleting("<Object><Key>{path}/&#46;&#x2e;/x</Key></Object>"),
    "slash in front": deleting("<Object><Key>/{parent}/other</Key></Object>"),
    "location itself": deleting("<Object><Key>{path}</Key></Object>"),
    "location as a folder": deleting("<Object><Key>{path}/</Key></Object>"),
    "empty key": deleting("<Object><Key></Key></Object>"),
    "no keys": deleting(""),
    "too many keys": deleting(GOOD * 1001),
    "version": deleting("<Object><Key>{path}/x</Key><VersionId>1</VersionId></Object>"),
    "two keys in one": deleting("<Object><Key>{path}/x</Key><Key>{parent}/other</Key></Object>"),
    "key in a key": deleting("<Object><Key>{path}/x<Key>other</Key></Key></Object>"),
    "no key": deleting("<Object/>"),
    "unknown element": deleting(GOOD + "<Prefix>other</Prefix>"),
    "text between": deleting("other" + GOOD),
    "text behind a key": deleting("<Object><Key>{path}/x</Key>other</Object>"),
    "attribute": deleting('<Object><Key x="y">{path}/x</Key></Object>'),
    "comment in a key": deleting("<Object><Key>{path}/x<!-- -->/y</Key></Object>"),
    "comment": deleting("<!-- x -->" + GOOD),
    "CDATA": deleting("<Object><Key><![CDATA[{path}/x]]></Key></Object>"),
    "processing instruction": deleting("<?x y?>" + GOOD),
    "document type": deleting(GOOD, before="<!DOCTYPE Delete>"),
    "entity": deleting(
        "<Object><Key>&x;</Key></Object>", before='<!DOCTYPE Delete [<!ENTITY x "{path}/x">]>'
    ),
    "external entity": deleting(
        "<Object><Key>&x;</Key></Object>",
        before='<!DOCTYPE Delete [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ),
    "laughs": deleting(
        "<Object><Key>&b;</Key></Object>",
        before='<!DOCTYPE Delete [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>',
    ),
    "unknown entity": deleting("<Object><Key>{path}/&x;</Key></Object>"),
    "inclusion": deleting(
        '<Object><Key><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="x"/></Key></Object>'
    ),
    "other namespace": f'<Delete xmlns="http://evil.example.com/">{GOOD}</Delete>',
    "namespace of a child": deleting('<Object xmlns=""><Key>{path}/x</Key></Object>'),
    "second namespace": deleting('<x:Object xmlns:x="urn:x"><x:Key>{path}/x</x:Key></x:Object>' + GOOD),
    "other root": deleting(GOOD, root="Remove"),
    "other encoding": deleting(GOOD, before='<?xml version="1.0" encoding="UTF-7"?>'),
    "other encoding of two bytes": deleting(GOOD, before='<?xml version="1.0" encoding="UTF-16"?>'),
    "other version": deleting(GOOD, before='<?xml version="1.1"?>'),
    "byte order mark": deleting(GOOD, before="\ufeff"),
    "second document": deleting(GOOD) + deleting(GOOD),
    "text behind": deleting(GOOD) + "x",
    "no XML": "other",
    "nothing": "",
    "NUL": deleting("<Object><Key>{path}/\0</Key></Object>"),
    "huge": deleting("<Object><Key>{path}/" + "x" * (5 << 20) + "</Key></Object>"),
}
CHECKS = {
    "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA==",
    "x-amz-content-sha256": "0" * 64,
    "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
    "x-amz-checksum-sha256": "x",
    "x-amz-checksum-sha1": "x",
    "x-amz-checksum-crc32": "AAAAAA==",
}
MEMBERS = {
    "other provider": {"provider": "gcs"},
    "unknown provider": {"provider": ""},
    "other region": {"region": "eu-central-1"},
    "odd region": {"region": "us-east-1/s3/aws4_request"},
    "empty region": {"region": ""},
}
ANSWERED = {400, 403}


def forgeries() -> Iterator[Forgery]:
    for group in (PLACES, HOSTS):
        for name, uri in group.items():
            yield Forgery(f"place: {name}", uri)
    for name, query in QUERIES.items():
        yield Forgery(f"query: {name}", f"{OBJECT}?{query}")
    for name, query in LISTINGS.items():
        yield Forgery(f"listing: {name}", f"{BUCKET}?{query}")
    for name, (method, uri, body) in METHODS.items():
        yield Forgery(f"method: {name}", uri, method, body=body)
    for name, headers in HEADERS.items():
        yield Forgery(f"header: {name}", method="PUT", headers=headers)
    for name, body in BODIES.items():
        yield Forgery(f"body: {name}", f"{BUCKET}?delete", "POST", body=body)
    for name, value in CHECKS.items():
        yield Forgery(f"check: {name}", f"{BUCKET}?delete", "POST", {name: value}, deleting(GOOD))
    for name, members in MEMBERS.items():
        yield Forgery(f"member: {name}", more=members)


FORGERIES = list(forgeries())
