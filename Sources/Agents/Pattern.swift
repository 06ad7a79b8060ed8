/// A regular expression in linear time: what customers write runs without backtracking.
///
/// Knows literals, `.`, classes, `* + ? {m,n}`, `|`, groups, `^ $ \b`, `\d \w \s` and their capitals;
/// ignores case. Searches anywhere in the text. Cost: at most `programMax` steps a character of at most
/// `textMax`.
/// Source: K. Thompson, "Regular expression search algorithm", 1968.
package struct Pattern: Hashable, Sendable {
    /// Characters of a pattern.
    package static let sourceMax = 300
    /// Steps of the compiled program, after `{m,n}` is written out.
    package static let programMax = 1000
    /// Largest `m` or `n`.
    package static let repeatMax = 100
    /// Nested groups.
    package static let depthMax = 20
    /// Characters of a text that are looked at.
    package static let textMax = 2000

    package struct Failure: Error, Hashable {
        package let message: String
    }

    enum Step: Hashable, Sendable {
        case one(CharacterClass)
        case split(Int, Int)
        case jump(Int)
        case start
        case end
        case wordBoundary(Bool)
        case match
    }

    let program: [Step]

    /// - Throws: `Failure` saying what is wrong, for the customer.
    package init(_ source: String) throws(Failure) {
        guard source.unicodeScalars.count <= Self.sourceMax else {
            throw Failure(message: "longer than \(Self.sourceMax) characters")
        }
        var parser = PatternParser(source)
        let tree = try parser.parse()
        var program: [Step] = []
        try Self.compile(tree, into: &program)
        program.append(.match)
        self.program = program
    }

    private static func compile(_ tree: PatternTree, into program: inout [Step]) throws(Failure) {
        guard program.count < programMax else { throw Failure(message: "too large when written out") }
        switch tree {
        case .empty: break
        case .one(let set): program.append(.one(set))
        case .assert(let step): program.append(step)
        case .sequence(let parts): for part in parts { try compile(part, into: &program) }
        case .either(let a, let b):
            let split = program.count
            program.append(.match)
            try compile(a, into: &program)
            let jump = program.count
            program.append(.match)
            program[split] = .split(split + 1, program.count)
            try compile(b, into: &program)
            program[jump] = .jump(program.count)
        case .repeated(let part, let least, let most):
            for _ in 0..<least {
                let size = program.count
                try compile(part, into: &program)
                // Nothing repeated is nothing; counted groups of it must not multiply.
                if program.count == size { break }
            }
            if let most {
                for _ in least..<most { try compileOptional(part, into: &program) }
            } else {
                let split = program.count
                program.append(.match)
                try compile(part, into: &program)
                program.append(.jump(split))
                program[split] = .split(split + 1, program.count)
            }
        }
    }

    private static func compileOptional(_ part: PatternTree, into program: inout [Step]) throws(Failure) {
        let split = program.count
        program.append(.match)
        try compile(part, into: &program)
        program[split] = .split(split + 1, program.count)
    }

    package func matches(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars.prefix(Self.textMax))
        var current = Threads(capacity: program.count)
        var next = Threads(capacity: program.count)
        for position in 0...scalars.count {
            if add(0, to: &current, scalars, position) { return true }
            guard position < scalars.count else { break }
            next.removeAll()
            for at in current.order {
                if case .one(let set) = program[at], set.contains(scalars[position]),
                    add(at + 1, to: &next, scalars, position + 1)
                {
                    return true
                }
            }
            swap(&current, &next)
        }
        return false
    }

    /// Follows everything that needs no character; true when that reaches the end of the pattern.
    private func add(_ first: Int, to threads: inout Threads, _ text: [UnicodeScalar], _ position: Int)
        -> Bool
    {
        threads.pending.append(first)
        while let at = threads.pending.popLast() {
            guard threads.insert(at) else { continue }
            switch program[at] {
            case .match:
                threads.pending.removeAll(keepingCapacity: true)
                return true
            case .jump(let to): threads.pending.append(to)
            case .split(let a, let b):
                threads.pending.append(b)
                threads.pending.append(a)
            case .start: if position == 0 { threads.pending.append(at + 1) }
            case .end: if position == text.count { threads.pending.append(at + 1) }
            case .wordBoundary(let wanted):
                let before = position > 0 && CharacterClass.word.contains(text[position - 1])
                let after = position < text.count && CharacterClass.word.contains(text[position])
                if (before != after) == wanted { threads.pending.append(at + 1) }
            case .one: break
            }
        }
        return false
    }

    /// The steps alive at one position, each once.
    private struct Threads {
        var order: [Int] = []
        var pending: [Int] = []
        private var isPresent: [Bool]
        init(capacity: Int) { isPresent = [Bool](repeating: false, count: capacity) }
        mutating func insert(_ at: Int) -> Bool {
            guard !isPresent[at] else { return false }
            isPresent[at] = true
            order.append(at)
            return true
        }
        mutating func removeAll() {
            for at in order { isPresent[at] = false }
            order.removeAll(keepingCapacity: true)
        }
    }
}

/// A set of characters, blind to case.
struct CharacterClass: Hashable, Sendable {
    var ranges: [ClosedRange<UInt32>]
    var isNegated = false

    static let digit = CharacterClass(ranges: [0x30...0x39])
    static let word = CharacterClass(ranges: [
        0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A, 0xC0...0x24F,
    ])
    static let space = CharacterClass(ranges: [0x09...0x0D, 0x20...0x20, 0xA0...0xA0])
    static let any = CharacterClass(ranges: [0x0A...0x0A], isNegated: true)

    func contains(_ scalar: UnicodeScalar) -> Bool {
        let (lower, upper) = Self.cases(scalar)
        return ranges.contains { $0.contains(lower) || $0.contains(upper) } != isNegated
    }

    private static func cases(_ scalar: UnicodeScalar) -> (UInt32, UInt32) {
        let value = scalar.value
        if value < 0x80 {
            switch value {
            case 0x41...0x5A: return (value + 32, value)
            case 0x61...0x7A: return (value, value - 32)
            default: return (value, value)
            }
        }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        let upper = scalar.properties.uppercaseMapping.unicodeScalars
        return (
            lower.count == 1 ? lower[lower.startIndex].value : value,
            upper.count == 1 ? upper[upper.startIndex].value : value
        )
    }
}
