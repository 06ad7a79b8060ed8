indirect enum PatternTree {
    case empty
    case one(CharacterClass)
    case assert(Pattern.Step)
    case sequence([PatternTree])
    case either(PatternTree, PatternTree)
    /// `most` nil: without limit.
    case repeated(PatternTree, least: Int, most: Int?)
}

/// Reads a pattern's text; recursive descent, depth limited by `Pattern.depthMax`.
struct PatternParser {
    private let source: [UnicodeScalar]
    private var at = 0
    private var depth = 0

    init(_ source: String) { self.source = Array(source.unicodeScalars) }

    mutating func parse() throws(Pattern.Failure) -> PatternTree {
        let tree = try alternatives()
        guard at == source.count else { throw failure("unmatched )") }
        return tree
    }

    private var next: UnicodeScalar? { at < source.count ? source[at] : nil }

    private func failure(_ message: String) -> Pattern.Failure {
        Pattern.Failure(message: "\(message) at character \(at + 1)")
    }

    private mutating func take(_ scalar: UnicodeScalar) -> Bool {
        guard next == scalar else { return false }
        at += 1
        return true
    }

    private mutating func alternatives() throws(Pattern.Failure) -> PatternTree {
        guard depth < Pattern.depthMax else { throw failure("groups nested too deep") }
        depth += 1
        defer { depth -= 1 }
        var tree = try sequence()
        while take("|") { tree = .either(tree, try sequence()) }
        return tree
    }

    private mutating func sequence() throws(Pattern.Failure) -> PatternTree {
        var parts: [PatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let part = try atom()
            parts.append(try counted(part))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func counted(_ part: PatternTree) throws(Pattern.Failure) -> PatternTree {
        var tree = part
        var quantifiers = 0
        while let scalar = next {
            switch scalar {
            case "*": tree = .repeated(tree, least: 0, most: nil)
            case "+": tree = .repeated(tree, least: 1, most: nil)
            case "?": tree = .repeated(tree, least: 0, most: 1)
            case "{":
                let (least, most) = try bounds()
                tree = .repeated(tree, least: least, most: most)
                at -= 1
            default: return tree
            }
            at += 1
            quantifiers += 1
            guard quantifiers <= 2 else { throw failure("too many quantifiers") }
        }
        return tree
    }

    private mutating func bounds() throws(Pattern.Failure) -> (Int, Int?) {
        at += 1
        guard let least = number() else { throw failure("expected a number") }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else { throw failure("expected }") }
        guard least <= Pattern.repeatMax, (most ?? 0) <= Pattern.repeatMax, most ?? least >= least else {
            throw failure("counts must rise and be at most \(Pattern.repeatMax)")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, (0x30...0x39).contains(scalar.value) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            at += 1
        }
        return value
    }

    private mutating func atom() throws(Pattern.Failure) -> PatternTree {
        guard let scalar = next else { throw failure("something is missing") }
        at += 1
        switch scalar {
        case "(":
            if take("?") {
                guard take(":") else { throw failure("only (?: is known") }
            }
            let inner = try alternatives()
            guard take(")") else { throw failure("expected )") }
            return inner
        case "[": return .one(try characterClass())
        case ".": return .one(.any)
        case "^": return .assert(.start)
        case "$": return .assert(.end)
        case "\\": return try escape()
        case "*", "+", "?", "{": throw failure("nothing to repeat")
        default: return .one(CharacterClass(ranges: [scalar.value...scalar.value]))
        }
    }

    private mutating func escape() throws(Pattern.Failure) -> PatternTree {
        if take("b") { return .assert(.wordBoundary(true)) }
        if take("B") { return .assert(.wordBoundary(false)) }
        return .one(try escapedClass())
    }

    private mutating func escapedClass() throws(Pattern.Failure) -> CharacterClass {
        guard let scalar = next else { throw failure("something must follow \\") }
        at += 1
        func negated(_ set: CharacterClass) -> CharacterClass {
            CharacterClass(ranges: set.ranges, isNegated: true)
        }
        switch scalar {
        case "d": return .digit
        case "w": return .word
        case "s": return .space
        case "D": return negated(.digit)
        case "W": return negated(.word)
        case "S": return negated(.space)
        case "n": return CharacterClass(ranges: [0x0A...0x0A])
        case "t": return CharacterClass(ranges: [0x09...0x09])
        default:
            guard !CharacterClass.word.contains(scalar) else { throw failure("unknown escape \\\(scalar)") }
            return CharacterClass(ranges: [scalar.value...scalar.value])
        }
    }

    private mutating func characterClass() throws(Pattern.Failure) -> CharacterClass {
        var set = CharacterClass(ranges: [])
        set.isNegated = take("^")
        while let scalar = next, scalar != "]" || set.ranges.isEmpty {
            at += 1
            if scalar == "\\" {
                let inner = try escapedClass()
                guard !inner.isNegated else { throw failure("a negated class inside []") }
                set.ranges += inner.ranges
            } else if next == "-", at + 1 < source.count, source[at + 1] != "]" {
                at += 1
                let last = source[at]
                at += 1
                guard last != "\\", scalar.value <= last.value else { throw failure("bad range in []") }
                set.ranges.append(scalar.value...last.value)
            } else {
                set.ranges.append(scalar.value...scalar.value)
            }
        }
        guard take("]") else { throw failure("expected ]") }
        return set
    }
}
