"""Names that something between a client and the catalog could spoil."""

NAMES = [
    "a/b%2Fc+d 100%",
    "dot.ted with  spaces ",
    "quo'te\"s back`tick\\slash",
    "?#&=;:@,{}[]|^~!$()*<>",
    "größe e\u0301 數據",
    "עברית \u202eevil\u202c مرحبا بالعالم",
    "🧊👩\u200d👩\u200d👧",
]
