"""Mutants of JSON."""

from mutant import Mutant

SCANNER = "JSON/Scanner.swift"
NUMBERS = "JSON/Scanner+Number.swift"
TEXTS = "JSON/Scanner+Text.swift"
NUMBER = "JSON/Number.swift"
READING = ("SyntaxTests", "DecodingTests", "JSONTests.LimitTests")

JSON = (
    Mutant("any number of levels", SCANNER, "open.count < limits.levels", "true", READING),
    Mutant("one value more", SCANNER, "valueCount < limits.values", "valueCount <= limits.values", READING),
    Mutant("any number of bytes", SCANNER, "bytes.count <= maximum", "true", READING),
    Mutant("a comma before the end", SCANNER, "if «byte == level.end» { throw syntax(\"a comma before", "false", READING),
    Mutant("something after the end", SCANNER, "guard «position == input.count» else", "true", READING),
    Mutant("the first of two members of one name wins", SCANNER, "guard «tape.enter(name: tape.nodes.count - 1)» else",
           "tape.enter(name: tape.nodes.count - 1) || true", READING),
    Mutant("members of different objects may not have the same name", "JSON/Tape.swift",
           "node.link == object && node.length == name.count", "node.length == name.count", READING,
           equivalent="The object is in the hash, which is compared before: it matters only to two of one hash."),
    Mutant("names that differ are the same", "JSON/Tape.swift", "«withBytes(of: node) { $0.elementsEqual(name) }»",
           "true", READING,
           equivalent="It matters only to two names of one length and one hash of 32 bits, seeded anew by each process: "
           "no test can make such a pair."),
    Mutant("zeros before a number", NUMBERS, "input[first] != UInt8(ascii: \"0\") || position == first + 1", "true",
           READING),
    Mutant("a number of any length", NUMBERS, "position - start <= limits.numberBytes", "true", READING),
    Mutant("control characters as they are", TEXTS, "guard «first >= 0x20» else", "true", READING),
    Mutant("surrogates in UTF-8", TEXTS, "case 0xed: (3, «0x80...0x9f»)", "0x80...0xbf", READING),
    Mutant("half of a pair takes what follows for its other half", TEXTS, "if «low & 0xfc00 == 0xdc00» {", "true",
           READING),
    Mutant("too large an integer is another one", NUMBER, "if «isTooLarge || overflows» { return nil }", "isTooLarge",
           READING),
    Mutant("an infinite number", NUMBER, "«double.isFinite» else { return nil }", "true", READING),
)
