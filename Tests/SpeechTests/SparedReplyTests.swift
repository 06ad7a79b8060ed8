import Base
import NIOCore
import NIOPosix
import Routing
import Testing

@testable import Speech

struct SparedReplyTests {
    /// Nobody is to ask it anything.
    private struct Unasked: LanguageModel {
        func reply(
            to request: ChatRequest, on loop: any EventLoop, events: @escaping @Sendable (ChatEvent) -> Void
        ) -> any ChatStream {
            Issue.record("a model was asked")
            return Nothing()
        }
    }
    private final class Nothing: ChatStream {
        func cancel() {}
        var usageSoFar: [Usage] { [] }
        var speaker: ModelChoice? { nil }
        var route: RouteFact? { nil }
    }

    private static func price(_ dollars: Int64) -> TokenPrice {
        let (input, output) = (Money.dollars(dollars), Money.dollars(4 * dollars))
        return TokenPrice(input: input, cached: input, cacheWrite: input, output: output)
    }

    /// A line that the agent had is told as a route that cost nothing, beside what either model would have cost.
    @Test(arguments: [false, true]) func aLineOfTheAgentsOwnCostsNothing(isShadow: Bool) async throws {
        var policy = RoutingPolicy()
        policy.isShadow = isShadow
        let (small, large) = (
            ModelChoice(vendor: "openai", model: "small"), ModelChoice(vendor: "openai", model: "large")
        )
        let router = try Router(
            cheap: .init(name: small.source, prices: Self.price(1)),
            strong: .init(name: large.source, prices: Self.price(10)), policy: policy,
            odds: try #require(ToolOdds.shipped))
        let settings = RoutedModel.Settings(
            router: router, prices: [small.source: Self.price(1), large.source: Self.price(10)],
            agent: "desk",
            lot: 0.5, learns: true)
        let model = RoutedModel(
            cheap: .init(choice: small, model: Unasked(), host: "a"),
            strong: [.init(choice: large, model: Unasked(), host: "a")], settings: settings,
            tenant: ID(high: 1, low: 1), cacheKey: "agent:1", health: ModelHealth(), lessons: RoutingLessons()
        )
        var request = ChatRequest(
            model: "large",
            messages: [
                .system("Be brief."), .assistant("At nine or at ten?"), .user("Say that again please."),
            ],
            tools: [], temperature: nil, maxTokens: 100)
        request.turn = 1
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let routes = try await loop.submit { [request] in
            (0..<2).map { _ in model.spare(request, line: "At nine or at ten?", on: loop) }
        }.get()
        #expect(routes.compactMap { $0?.number } == [1, 2])
        let route = try #require(routes[0])
        #expect(route.mode == "scripted" && route.model == "" && route.reason == "the agent knows the line")
        #expect(route.spent == .zero && route.expectedCost == .zero && route.expectedWaitMs == 0)
        #expect(route.alwaysStrong > route.alwaysCheap && route.alwaysCheap > .zero)
    }
}
