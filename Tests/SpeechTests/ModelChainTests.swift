import Base
import HTTPClient
import Logging
import NIOCore
import Testing
import VendorSim

@testable import Speech

/// A chain across two vendors, each simulated.
@Suite(.timeLimit(.minutes(2))) struct ModelChainTests {
    struct Pair: Sendable {
        let first: ModelRig
        let second: ModelRig
        let http: HTTPClient
        let health = ModelHealth()

        func chain(_ tenant: ID<Tenant> = ID(high: 1, low: 1)) -> ModelRig {
            let members = [
                ModelChain.Member(
                    choice: ModelChoice(vendor: "openai", model: "m-1"), model: first.model, host: "a"),
                ModelChain.Member(
                    choice: ModelChoice(vendor: "anthropic", model: "m-2"), model: second.model, host: "b"),
            ]
            return ModelRig(
                model: ModelChain(members, tenant: tenant, cacheKey: "agent:1", health: health),
                fail: { _ in }, requests: { [] }, stop: {})
        }
        var asked: [Int] { [first.requests().count, second.requests().count] }
    }

    private func withPair(_ body: (Pair) async throws -> Void) async throws {
        let http = HTTPClient(addresses: .anyAddress, logger: Logger(label: "chain"))
        let first = try await ModelRig.start(.openai, http: http) {
            $0.script = ChatScript([], otherwise: ChatScript.Reply("I have a slot on Tuesday."))
        }
        let second = try await ModelRig.start(.anthropic, http: http) {
            $0.script = ChatScript([], otherwise: ChatScript.Reply("on Tuesday at nine."))
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(Pair(first: first, second: second, http: http)))
        } catch {
            result = .failure(error)
        }
        await http.close()
        await first.stop()
        await second.stop()
        try result.get()
    }

    @Test func theFirstChoiceAnswersWhileItCan() async throws {
        try await withPair { pair in
            let reply = try await pair.chain().summary()
            #expect(reply.text == "I have a slot on Tuesday." && reply.began == 1)
            #expect(pair.asked == [1, 0])
        }
    }

    @Test(arguments: [
        ChatScript.Fault.serverError, .unauthorized, .insufficientQuota, .rateLimited(retryAfterSeconds: 9),
        .malformed(afterTokens: 0), .refusal, .status(403), .status(404),
    ])
    func whenItFailsTheNextVendorAnswers(fault: ChatScript.Fault) async throws {
        try await withPair { pair in
            pair.first.fail([fault])
            let reply = try await pair.chain().summary()
            #expect(reply.text == "on Tuesday at nine." && reply.fault == nil)
            #expect(reply.usage.contains { $0.source == "anthropic/m-2" })
        }
    }

    @Test func aFirstTokenThatIsStuckIsNotWaitedForAndItsCostIsCounted() async throws {
        try await withPair { pair in
            pair.first.fail([.late(.seconds(8))])
            let start = ContinuousClock.now
            let reply = try await pair.chain().summary()
            #expect(reply.text == "on Tuesday at nine.")
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(reply.usage.contains { $0.source == "openai/m-1" && $0.unit == .inputTokens })
        }
    }

    @Test func aReplyThatBreaksOffIsTakenUpWithoutRepeating() async throws {
        try await withPair { pair in
            pair.first.fail([.cut(afterTokens: 5)])
            let reply = try await pair.chain().summary()
            #expect(reply.text == "I have a slot on Tuesday at nine." && reply.began == 1)
            #expect(reply.troubles.count == 1 && reply.troubles[0].hasSuffix(", now anthropic/m-2"))
            let messages = pair.second.requests().last?["messages"]?.array ?? []
            let said = messages.dropLast().last?["content"]?.array?.first?["text"]?.string
            #expect(said == "I have a slot on")
            #expect(Set(reply.usage.map(\.source)) == ["openai/m-1", "anthropic/m-2"])
        }
    }

    @Test func aTenantsLimitIsRespectedAndIsNobodyElses() async throws {
        try await withPair { pair in
            let (mine, other) = (ID<Tenant>(high: 1, low: 1), ID<Tenant>(high: 1, low: 2))
            pair.first.fail([.rateLimited(retryAfterSeconds: 60)])
            _ = try await pair.chain(mine).reply()
            _ = try await pair.chain(mine).reply()
            #expect(pair.asked == [1, 2])
            let reply = try await pair.chain(other).summary()
            #expect(reply.text == "I have a slot on Tuesday.")
            #expect(pair.asked == [2, 2])
        }
    }

    @Test func aVendorThatKeepsFailingIsLeftAloneByEverybody() async throws {
        try await withPair { pair in
            pair.first.fail(Array(repeating: .serverError, count: 5))
            for tenant in 0..<7 {
                let chain = pair.chain(ID(high: 1, low: UInt64(tenant)))
                let reply = try await chain.summary()
                #expect(reply.text == "on Tuesday at nine.")
            }
            #expect(pair.asked == [5, 7])
        }
    }

    @Test func theRequestsOfOneTurnShareABudget() async throws {
        try await withPair { pair in
            var request = ModelRig.request()
            request.turn = 4
            request.isDraft = true
            let chain = pair.chain()
            var spoken = 0
            for _ in 0..<5 {
                if try await chain.summary(to: request).fault == nil { spoken += 1 }
            }
            #expect(spoken == ReplyPlan.draftsMax)
            request.isDraft = false
            #expect(try await chain.summary(to: request).fault == nil)
        }
    }

    @Test func aReplyThatIsGivenUpCostsWhatBothHaveCost() async throws {
        try await withPair { pair in
            pair.first.fail([.cut(afterTokens: 2)])
            pair.second.fail([.trickle])
            let recorder = Recorder<ChatEvent>()
            let model = pair.chain().model
            let stream = try await on(ModelRig.loop) {
                NIOLoopBound(
                    model.reply(to: ModelRig.request(), on: ModelRig.loop) { recorder.record($0) },
                    eventLoop: ModelRig.loop)
            }
            _ = await recorder.first {
                if case .text(let text) = $0, text.contains("Tuesday") { true } else { nil }
            }
            let used = try await on(ModelRig.loop) {
                stream.value.cancel()
                return stream.value.usageSoFar
            }
            #expect(Set(used.map(\.source)) == ["openai/m-1", "anthropic/m-2"])
        }
    }
}
