import ArgumentParser
import Base
import Foundation
import Routing

/// How stored calls of language models would have been routed: for people who compare models, prices and policies.
struct RouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Decide for stored language model calls which model should answer, one JSON line a call.",
        discussion: """
            Calls come on standard input, one JSON object a line, those of a dialogue together and in order: id, \
            dialog_id, prefix_id, messages (role user, assistant or tool; content; tool_calls with name and arguments), \
            tokens_in. Other fields are let pass. --prefixes names a JSON file with {"text", "tokens"} behind each prefix \
            id: the system text, and the tools as a JSON array from the start of a line; text may follow it. Without such an array \
            the agent has no tools: it calls none. A line that begins with [{ and cannot be read is an error of its rows.

            Each line out: id, route (cheap, strong or probe), p_tool, reason; with --explain also the expected cost of \
            this and of either model alone, in nano-dollars, the wait in milliseconds, and the features that are not 0; with \
            --economy how many tokens a shortened prompt has, with the tools' schemas (full) and without (short), and how \
            many it shares with the prompt before.

            A row that is wrong is named on standard error with its line and, if its id can be read, decided as strong with \
            p_tool 1 and what is wrong as its reason (with --features: left out). The others are decided; the exit code is 1.

            "probe" is the cheap model without the tools' schemas, but with a function to hand over to the strong one.
            Prices: --prices FILE --pair NAME, {"NAME": {"strong": {"in", "cached", "write", "out"}, "cheap": …}} in dollars \
            a million tokens; else --ratio, the strong model's prices over the cheap one's.

            With JOURNAL, a call's journal file, its requests are decided on in their place, by the rules of its \
            agent and the list prices: the call is led again as recorded, whatever is chosen.

            With --judge VENDOR/MODEL the agent's cheap and strong model answer those requests, and that model says, not knowing \
            which is which and asked with either first, whether the cheap answer is better, equal or worse. Accounts are \
            OPENAI_API_KEY, ANTHROPIC_API_KEY or COMPATIBLE_API_KEY, with …_BASE_URL for any other endpoint. A request costs two \
            of the judge's.
            """)

    @Argument(help: "A call's journal, in place of standard input.") var journal: String?
    @Option(help: "System texts by prefix id.") var prefixes: String?
    @Option(help: "Prices of pairs of models.") var prices: String?
    @Option(help: "The pair of --prices that is meant.") var pair: String?
    @Option(help: "Strong over cheap, where there is no --prices.") var ratio = 5.0
    @Option(help: "Other weights than the shipped ones.") var weights: String?
    @Option(
        help: "A directory of weights that did not see a call, as models/router/train.py --folds makes it.")
    var folds: String?
    @Option(help: "From which p_tool on the strong model is asked straight away in a call of middling size.")
    var strongAbove: Double?
    @Flag(help: "Never probe: one model or the other.") var direct = false
    @Flag(help: "Do not learn from the acts that later calls show.") var fixed = false
    @Flag(help: "Say what was weighed.") var explain = false
    @Flag(help: "Say how long prompts would be if they were shortened.") var economy = false
    @Flag(help: "Write features in place of decisions: what models/router/train.py learns from.")
    var features = false
    @Option(help: "A model, VENDOR/MODEL, that judges what both models answer to the requests of JOURNAL.")
    var judge: String?
    @Option(help: "Requests that are judged at most (1...\(JudgedReplies.limitMax)).") var limit = 20
    @Flag(help: "With --judge: one JSON object a request, and one of all.") var json = false
    @Flag(help: "Also write how long decisions took, to standard error.") var timed = false

    func validate() throws {
        guard (journal == nil) != (prefixes == nil) else {
            throw ValidationError("give either JOURNAL or --prefixes")
        }
        guard judge == nil || journal != nil else { throw ValidationError("--judge needs JOURNAL") }
        guard (1...JudgedReplies.limitMax).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(JudgedReplies.limitMax)")
        }
    }

    func run() async throws {
        if let journal, let judge {
            try await self.judge(JournalRoutes(journal), by: judge)
        } else if let journal {
            for decided in try JournalRoutes(journal).decided() {
                var fields = fields(decided.id, decided.choice, decided.request.features)
                fields["t_ms"] = .int(Int64(decided.at.milliseconds))
                print(JSON.object(fields).text)
            }
        } else if let prefixes {
            try routeStored(prefixes)
        }
    }

    private func judge(_ routes: JournalRoutes, by name: String) async throws {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw ValidationError("--judge takes VENDOR/MODEL") }
        let replies = try JudgedReplies(routes, judge: ModelChoice(vendor: parts[0], model: parts[1]))
        var done = 0
        let rows = try await replies.run(limit: limit) { decided, row, all in
            done += 1
            StandardError.say("\(done) of \(all)")
            print(json ? row.json(decided) : row.line(decided))
        }
        print(json ? JudgedReplies.summary(rows).text : JudgedReplies.lines(rows))
    }

    private func routeStored(_ prefixes: String) throws {
        let unseen = try folds.map(routers)
        var dialogues = StoredDialogues(
            router: try router(weights), prefixes: try GivenFile.object(prefixes), learns: !fixed)
        if features {
            print(JSON.object(["names": .array(RoutingFeatures.names.map { .string($0) })]).text)
        }
        var number = 0
        var isAnyBad = false
        var nanoseconds: [UInt64] = []
        while let line = readLine() {
            number += 1
            guard !line.allSatisfy(\.isWhitespace) else { continue }
            do throws(StoredCall.Failure) {
                let call = try StoredCall(line: line)
                if let unseen {
                    guard let router = unseen[call.id] else {
                        throw .unfit("id", "one that is in a fold, found \(call.id)")
                    }
                    dialogues.router = router
                }
                let decided = try dialogues.next(call)
                if timed { nanoseconds.append(Self.time(decided.again)) }
                print(features ? Self.text(call, decided.features) : text(call, decided))
            } catch {
                isAnyBad = true
                StandardError.say("line \(number): \(error.message)")
                if !features, let id = StoredCall.id(ofLine: line) { print(Self.text(id, error)) }
            }
        }
        if !nanoseconds.isEmpty {
            nanoseconds.sort()
            let slowest = nanoseconds[(nanoseconds.count * 99) / 100]
            StandardError.say("decision_us_p99 \(Double(slowest) / 1000)")
        }
        if isAnyBad { throw ExitCode.failure }
    }

    /// A row that could not be decided on is the strong model's: it can do whatever is asked for.
    private static func text(_ id: String, _ failure: StoredCall.Failure) -> String {
        JSON.object([
            "id": .string(id), "route": .string(StoredDialogues.Route.strong.rawValue), "p_tool": 1,
            "reason": .string(failure.message),
        ]).text
    }

    private func routers(_ folder: String) throws -> [String: Router] {
        var made: [Int64: Router] = [:]
        return try GivenFile.object(folder + "/index.json").mapValues { fold in
            guard let fold = fold.int else {
                throw ValidationError("\(folder)/index.json: folds are numbers")
            }
            let router = try made[fold] ?? router("\(folder)/fold-\(fold).json")
            made[fold] = router
            return router
        }
    }

    private func router(_ weights: String?) throws -> Router {
        var policy = RoutingPolicy()
        if let strongAbove { policy.strongAbove = strongAbove }
        if direct { policy.allowsProbe = false }
        do {
            let none = features ? ToolOdds() : nil
            let odds = try none ?? weights.map { try ToolOdds(text: GivenFile.text($0)) } ?? ToolOdds.shipped
            guard let odds else { throw ValidationError("the shipped weights belong to other features") }
            let (cheap, strong) = try models()
            return try Router(cheap: cheap, strong: strong, policy: policy, odds: odds)
        } catch let problem as RoutingProblem {
            throw ValidationError(problem.message)
        }
    }

    private func models() throws -> (Router.Model, Router.Model) {
        guard let prices else {
            guard (1...1000).contains(ratio) else { throw ValidationError("--ratio is 1 to 1000") }
            let strong = try Self.price(["in": 2, "cached": 0.5, "out": 8], over: 1)
            let cheap = try Self.price(["in": 2, "cached": 0.5, "out": 8], over: ratio)
            return (.init(name: "cheap", prices: cheap), .init(name: "strong", prices: strong))
        }
        let table = try GivenFile.object(prices)
        guard let pair else { throw ValidationError("--prices needs --pair") }
        func price(_ tier: Router.Tier) throws -> TokenPrice {
            do throws(RoutingProblem) {
                return try TokenPrice(dollarsPerMillion: table[pair]?[tier.rawValue] ?? .null)
            } catch {
                throw ValidationError("\(prices): \(pair): \(tier.rawValue): \(error.message)")
            }
        }
        guard let entry = table[pair], entry.object != nil else {
            let known = table.filter { $0.value.object != nil }.keys.sorted().joined(separator: ", ")
            throw ValidationError("\(prices) has no pair \(pair); known: \(known)")
        }
        let names = pair.split(separator: "/", maxSplits: 1).map(String.init)
        return (
            .init(name: names.last ?? "cheap", prices: try price(.cheap)),
            .init(name: names.first ?? "strong", prices: try price(.strong))
        )
    }

    private static func price(_ dollars: [String: Double], over ratio: Double) throws -> TokenPrice {
        try TokenPrice(dollarsPerMillion: .object(dollars.mapValues { .double($0 / ratio) }))
    }

    private func text(_ call: StoredCall, _ decided: StoredDialogues.Decision) -> String {
        var fields = fields(call.id, decided.choice, decided.features)
        if economy {
            let sizes = decided.sizes
            fields["economy"] = [
                "full": .int(Int64(sizes.full)), "short": .int(Int64(sizes.short)),
                "common": .int(Int64(sizes.common)),
            ]
        }
        return JSON.object(fields).text
    }

    private func fields(
        _ id: String, _ choice: Router.Choice, _ features: RoutingFeatures
    ) -> [String: JSON] {
        var fields: [String: JSON] = [
            "id": .string(id), "route": .string(StoredDialogues.route(choice.mode).rawValue),
            "p_tool": .double((choice.toolProbability * 1e6).rounded() / 1e6),
            "reason": .string(choice.reason),
        ]
        if explain {
            fields["expected_cost"] = .int(Int64(choice.expectedCost.rounded()))
            fields["always_strong"] = .int(Int64(choice.alwaysStrong.rounded()))
            fields["always_cheap"] = .int(Int64(choice.alwaysCheap.rounded()))
            fields["expected_wait_ms"] = .int(Int64(choice.expectedWait / .milliseconds(1)))
            let seen = zip(RoutingFeatures.names, features.values).filter { $0.1 != 0 }
            fields["features"] = .object(
                Dictionary(uniqueKeysWithValues: seen.map { ($0, .double(Double($1))) }))
        }
        return fields
    }

    private static func text(_ call: StoredCall, _ features: RoutingFeatures) -> String {
        JSON.object(["id": .string(call.id), "x": .array(features.values.map { .double(Double($0)) })]).text
    }

    /// The best of five, as other programs share the cores.
    private static func time(_ decide: () -> Void) -> UInt64 {
        (0..<5).map { _ in
            let start = DispatchTime.now().uptimeNanoseconds
            decide()
            return DispatchTime.now().uptimeNanoseconds - start
        }.min() ?? 0
    }
}
