-- oldest-program: 0.1.0
-- Whoever an external provider vouches for is looked up with every new token, also among those who were deleted.

CREATE INDEX principals_issuer_subject ON principals (issuer, subject, deleted_at) WHERE kind = 'openid';
