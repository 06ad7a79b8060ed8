import ArgumentParser
import Base
import Glibc
import Turns

/// What one decision costs: time, and memory asked for where nothing comes of it.
struct BenchTurns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turns", abstract: "Cost of one input of the turn-taking machine, on one thread.",
        discussion: """
            Allocations are counted when bench/turns/allocations.c is preloaded, as `make bench-turns` does; without it they \
            are null. The command fails when an input that changes nothing and brings no words allocates.
            """)

    @Option(help: "Minutes of conversation.") var minutes = 60
    @Option(help: "Draws the conversation.") var seed: UInt64 = 7

    /// The best of so many rounds: the machine has other work.
    static let rounds = 5

    func run() throws {
        let steps = TalkScript.steps(minutes: minutes, seed: seed)
        let times = (0..<Self.rounds).map { _ in TalkScript.times(of: steps) }
        let p50 = times.map { $0[$0.count / 2] }.min() ?? 0
        let p99 = times.map { $0[$0.count * 99 / 100] }.min() ?? 0
        var line = "\"handle_ns_p50\": \(p50), \"handle_ns_p99\": \(p99), \"inputs\": \(steps.count)"
        guard let counter = AllocationCounter() else {
            return print("{\(line), \"handle_allocations\": null}")
        }
        let found = TalkScript.allocations(of: steps, counter)
        let wordless = found.filter { $0.key != TalkScript.wordsKind }.values.reduce(0) {
            $0 + $1.allocations
        }
        let kinds = found.sorted { $0.key < $1.key }.map { kind, count in
            "\"\(kind)\": [\(count.allocations), \(count.inputs)]"
        }
        line += ", \"handle_allocations\": \(wordless), \"allocations\": {\(kinds.joined(separator: ", "))}"
        print("{\(line)}")
        // Words are kept, so a counter that saw none of them sees nothing.
        guard let words = found[TalkScript.wordsKind], words.allocations > 0 else {
            throw DemoFailure("the counter counts nothing")
        }
        guard wordless == 0 else {
            throw DemoFailure("\(wordless) allocations by inputs that change nothing and bring no words")
        }
    }
}

/// An endless talk between an agent and a caller, as inputs of `Turns`.
enum TalkScript {
    struct Step {
        var at: CallTime
        var input: Turns.Input
    }

    /// What words bring must be kept; all else must not.
    static let wordsKind = "transcript"

    private static let answer = "I would like to move my appointment to next tuesday in the afternoon please"
    private static let line =
        "Of course, that is possible. Would you rather come in the morning or later in the day?"
    private static let lineMs = 5000
    private static let heardMs = 100
    private static let partialMs = 200

    /// Turns of both by turns, a hum over the agent in every third; deadlines fire when they are due.
    static func steps(minutes: Int, seed: UInt64) -> [Step] {
        var random = SeededGenerator(seed: seed)
        var steps: [Step] = []
        var turns = Turns(policy: Turns.Policy())
        var now = CallTime.zero
        func give(_ input: Turns.Input, after milliseconds: Int) {
            let next = now + .milliseconds(milliseconds)
            while let due = turns.deadline, due <= next {
                now = max(now, due)
                steps.append(Step(at: now, input: .deadline))
                _ = turns.handle(.deadline, at: now)
            }
            now = next
            steps.append(Step(at: now, input: input))
            _ = turns.handle(input, at: now)
        }
        while now < .milliseconds(minutes * 60_000) {
            give(.say(line, isInterruptible: true), after: 300)
            let id = turns.utterances
            give(.synthesised(id, ms: 400, isLast: false), after: 150)
            give(.synthesised(id, ms: lineMs, isLast: true), after: 200)
            let isHummed = random.next() % 3 == 0
            for heardMs in stride(from: heardMs, to: lineMs, by: heardMs) {
                give(.heard(id, ms: heardMs, isFinished: false), after: Self.heardMs)
                if isHummed, heardMs == 2000 { for input in hum { give(input, after: 60) } }
            }
            give(.heard(id, ms: lineMs, isFinished: true), after: heardMs)
            give(.ask(.open), after: 0)
            speak(&random, give)
        }
        return steps
    }

    private static let hum: [Turns.Input] = [.stirred, .settled]

    private static func speak(_ random: inout SeededGenerator, _ give: (Turns.Input, Int) -> Void) {
        let words = answer.split(separator: " ")
        give(.stirred, 500 + Int(random.next() % 500))
        give(.speechStarted(agoMs: 40), 40)
        for count in 1...words.count {
            let text = words.prefix(count).joined(separator: " ")
            give(.transcript(text, isFinal: false, .none), partialMs)
        }
        give(.endOfTurn(probability: 0.3), 20)
        give(.speechEnded(agoMs: 100), 100)
        give(.transcript(answer, isFinal: true, .none), 150)
        give(.deadline, 2500)
    }

    /// Nanoseconds of each input, in order of size; reading the clock is in them.
    static func times(of steps: [Step]) -> [Int] {
        var turns = Turns(policy: Turns.Policy())
        var times: [Int] = []
        times.reserveCapacity(steps.count)
        for step in steps {
            let start = ContinuousClock.now
            _ = turns.handle(step.input, at: step.at)
            times.append(Int((ContinuousClock.now - start).nanoseconds))
        }
        return times.sorted()
    }

    /// Of inputs that led to nothing, by kind: allocations and how many inputs there were.
    static func allocations(
        of steps: [Step], _ counter: AllocationCounter
    ) -> [String: (allocations: Int, inputs: Int)] {
        var turns = Turns(policy: Turns.Policy())
        var found: [String: (allocations: Int, inputs: Int)] = [:]
        for step in steps {
            let before = counter.count
            let effects = turns.handle(step.input, at: step.at)
            let allocations = counter.count - before
            guard effects.isEmpty else { continue }
            found[kind(step.input), default: (0, 0)].allocations += allocations
            found[kind(step.input), default: (0, 0)].inputs += 1
        }
        return found
    }

    private static func kind(_ input: Turns.Input) -> String {
        let text = "\(input)"
        return String(text.prefix { $0.isLetter })
    }
}

/// Counts this thread's allocations, where bench/turns/allocations.c is preloaded.
struct AllocationCounter {
    private let read: @convention(c) () -> UInt64

    /// nil when it is not.
    init?() {
        guard let symbol = dlsym(nil, "parley_allocations") else { return nil }
        read = unsafeBitCast(symbol, to: (@convention(c) () -> UInt64).self)
    }

    var count: Int { Int(read()) }
}
