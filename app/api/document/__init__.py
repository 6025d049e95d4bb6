"""The OpenAPI document: what is declared beside the routes, the marshmallow schemas and ``components/*.yaml``."""
