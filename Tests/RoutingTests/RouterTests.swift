import Base
import Routing
import Testing

/// What is chosen, and that whatever is not known leads to the strong model.
@Suite struct RouterTests {
    static let tools: JSON = [
        [
            "name": "FindTable", "description": "Find a table at a restaurant",
            "parameters": ["city": "Where the restaurant is", "date": "Date of the visit"],
            "required": ["city", "date"],
        ],
        [
            "name": "ReserveTable", "description": "Reserve a table",
            "parameters": ["name": "Name of the restaurant", "date": "Date", "guests": "Number of guests"],
            "required": ["name", "date", "guests"],
        ],
    ]

    /// Nano-dollars a token.
    static func price(_ input: Int64, _ cached: Int64, _ output: Int64) -> TokenPrice {
        let each = [input, cached, output].map { Money(nanos: $0 * TokenPrice.per) }
        return TokenPrice(input: each[0], cached: each[1], cacheWrite: each[0], output: each[2])
    }

    static func dialogue(_ messages: [DialogueMessage], tools: JSON = tools) -> RoutedDialogue {
        var dialogue = RoutedDialogue(tools: ToolBook(tools))
        for message in messages { dialogue.append(message) }
        return dialogue
    }

    static let farewell: [DialogueMessage] = [
        .user("A table for two on Friday"), .assistant("Shall I reserve it?"), .user("Yes please"),
        .assistant("", calls: [.init(name: "ReserveTable", arguments: ["guests": 2])]),
        .toolResult(#"{"status": "successfully booked"}"#), .assistant("It is reserved. Anything else?"),
        .user("No, that is all. Thanks, goodbye!"),
    ]

    static func router(_ change: (inout RoutingPolicy) -> Void = { _ in }) throws -> Router {
        var policy = RoutingPolicy()
        change(&policy)
        let strong = Self.price(2000, 500, 8000)
        let cheap = Self.price(400, 100, 1600)
        return try Router(
            cheap: .init(name: "small", prices: cheap), strong: .init(name: "large", prices: strong),
            policy: policy, odds: try #require(ToolOdds.shipped))
    }

    static func request(_ change: (inout Router.Request) -> Void = { _ in }) -> Router.Request {
        var request = Router.Request(dialogue(farewell), promptTokens: 600)
        change(&request)
        return request
    }

    @Test func aFarewellNeedsNoTool() throws {
        let choice = try Self.router().choose(Self.request())
        #expect(choice.toolProbability < 0.1)
        #expect(choice.mode != .direct(.strong))
        #expect(choice.expectedCost < choice.alwaysStrong)
        #expect(choice.reason.contains("likely"))
    }

    @Test func aConfirmedBookingIsLikelierToCallATool() throws {
        let asked = Self.dialogue([
            .user("I want a table in Rome on Friday at 7 pm for 4 people"),
            .assistant("Please confirm: a table for 4 in Rome on Friday at 7 pm. Shall I book it?"),
            .user("Yes, please."),
        ])
        let router = try Self.router()
        let confirmed = router.choose(.init(asked, promptTokens: 600))
        #expect(confirmed.toolProbability > 0.5)
        #expect(confirmed.toolProbability > router.choose(Self.request()).toolProbability)
    }

    /// Said to an agent with tools, all but the first make a tool call likely.
    static let noTools: [[DialogueMessage]] = [
        farewell,
        [
            .user("I want a table in Rome on Friday at 7 pm for 4 people"),
            .assistant("Please confirm: a table for 4 in Rome on Friday at 7 pm. Shall I book it?"),
            .user("Yes, please."),
        ],
        [.user("Is there a table?"), .assistant("For which day?"), .user("For Monday.")],
    ]

    @Test(arguments: noTools) func anAgentWithoutToolsNeedsNoStrongModel(said: [DialogueMessage]) throws {
        let request = Router.Request(Self.dialogue(said, tools: []), promptTokens: 608)
        for allowsProbe in [true, false] {
            let router = try Self.router {
                $0.allowsProbe = allowsProbe
                $0.cheapBelow = 0
            }
            let choice = router.choose(request)
            #expect(choice.mode == .direct(.cheap) && choice.toolProbability == 0)
            #expect(choice.reason == "the agent has no tools, saves 80 %")
            #expect(choice.expectedCost == choice.alwaysCheap && choice.expectedCost < choice.alwaysStrong)
        }
    }

    @Test func guardRailsHoldForAnAgentWithoutToolsToo() throws {
        let request = Router.Request(Self.dialogue(Self.noTools[1], tools: []), promptTokens: 600)
        let strong: [((inout RoutingPolicy) -> Void, String)] = [
            ({ $0.isOff = true }, "routing is off"), ({ $0.canaryShare = 0 }, "outside the canary share"),
            ({ $0.isShadow = true }, "shadow: the agent has no tools, saves 80 %"),
        ]
        for (change, reason) in strong {
            let choice = try Self.router(change).choose(request)
            #expect(choice.mode == .direct(.strong) && choice.reason == reason)
        }
        let neverAlone = try Self.router { $0.allowsCheap = false }.choose(request)
        #expect(neverAlone.mode == .probe)
        #expect(neverAlone.reason.hasPrefix("the agent has no tools: tried cheap, may hand over, saves "))
        let spent = try Self.router { $0.callBudget = 1 }.choose(
            {
                var request = request
                request.spentOnCall = 1
                return request
            }())
        #expect(spent.mode == .direct(.cheap) && spent.reason.hasPrefix("the budget is spent; "))
    }

    @Test func whatCostsMoreThanTheStrongModelIsNotSaidToSave() throws {
        // The strong model's cache holds the whole prompt, the other's nothing, and only the budget keeps from asking it.
        var policy = RoutingPolicy()
        policy.cheapBelow = 0
        policy.callBudget = 1
        let dear = try Router(
            cheap: .init(name: "small", prices: Self.price(1900, 1900, 8000)),
            strong: .init(name: "large", prices: Self.price(2000, 100, 8000)),
            policy: policy, odds: try #require(ToolOdds.shipped)
        ).choose(
            Self.request {
                $0.promptTokens = 12_800
                $0.seenByStrong = 12_800
                $0.spentOnCall = 1
            })
        try #require(dear.mode == .probe && dear.expectedCost > dear.alwaysStrong)
        #expect(!dear.reason.contains("saves") && dear.reason.hasSuffix(" % more"), "\(dear.reason)")
        #expect(dear.reason.contains("may hand over, costs "))
    }

    @Test func theSameRequestGivesTheSameChoice() throws {
        let router = try Self.router()
        #expect(router.choose(Self.request()) == router.choose(Self.request()))
    }

    @Test func theDearerAMissTheStrongerTheChoice() throws {
        let request = Self.request()
        let trusting = try Self.router {
            $0.strongAbove = 1
            $0.cheapBelow = 0.5
        }
        #expect(trusting.choose(request).mode == .direct(.cheap))
        let wary = try Self.router {
            $0.strongAbove = 0
            $0.cheapBelow = 0
        }
        #expect(wary.choose(request).mode == .direct(.strong))
    }

    @Test func withoutProbesSomeCallsAreAskedToLearnOf() throws {
        let router = try Self.router {
            $0.allowsProbe = false
            $0.strongAbove = 1
            $0.cheapBelow = 0.5
        }
        let choices = (600..<760).map { tokens in router.choose(Self.request { $0.promptTokens = tokens }) }
        #expect(choices.filter { $0.mode == .direct(.cheap) }.count == 150)
        #expect(choices.filter { $0.reason == "asked to learn of" }.count == 10)
    }

    @Test func aMissIsAsBadInAShortPrompt() throws {
        let asked = Self.dialogue([
            .user("Is there a table?"), .assistant("For which day?"), .user("For Monday."),
        ])
        let router = try Self.router()
        let modes = [50, 300, 700, 1_000].map { router.choose(.init(asked, promptTokens: $0)).mode }
        #expect(modes.first == .direct(.strong))
        #expect(modes.last == .probe)
    }

    @Test func whatIsNotKnownGoesToTheStrongModel() throws {
        let router = try Self.router()
        let many = JSON.array((0..<200).map { ["name": .string("tool_\($0)"), "description": "does it"] })
        let crowded = Router.Request(Self.dialogue(Self.farewell, tools: many), promptTokens: 9000)
        let cases: [(Router.Request, String)] = [
            (.init(Self.dialogue([]), promptTokens: 0), "nothing was said yet"),
            (crowded, "200 tools are too many to judge"),
            (Self.request { $0.handOversThisTurn = 1 }, "handed over 1 times this turn"),
        ]
        for (request, reason) in cases {
            let choice = router.choose(request)
            #expect(choice.mode == .direct(.strong))
            #expect(choice.reason == reason)
        }
    }

    @Test func guardRailsHoldWhateverTheOdds() throws {
        let request = Self.request { $0.toolsCalled = ["find", "pay"] }
        let always: [(inout RoutingPolicy) -> Void] = [
            { $0.isOff = true }, { $0.canaryShare = 0 }, { $0.strongAfter = ["pay", "refund"] },
            {
                $0.isShadow = true
                $0.strongAbove = 1
                $0.cheapBelow = 0.5
            },
        ]
        for change in always { #expect(try Self.router(change).choose(request).mode == .direct(.strong)) }
        let shadow = try Self.router {
            $0.isShadow = true
            $0.strongAbove = 1
            $0.cheapBelow = 0.5
        }.choose(request)
        #expect(shadow.shadowed == .direct(.cheap))
        #expect(shadow.reason.hasPrefix("shadow: "))
        let kept = try Self.router { $0.strongAfter = ["refund", "pay"] }
        #expect(kept.choose(request).reason == "kept strong after pay")
        #expect(kept.choose(Self.request { $0.toolsCalled = ["find"] }).mode != .direct(.strong))
    }

    @Test func spentBudgetsProbeInPlaceOfTheStrongModel() throws {
        let router = try Self.router {
            $0.strongAbove = 0
            $0.cheapBelow = 0
            $0.callBudget = 1_000
        }
        #expect(router.choose(Self.request()).mode == .direct(.strong))
        let spent = router.choose(Self.request { $0.spentOnCall = 1_000 })
        #expect(spent.mode == .probe)
        #expect(spent.reason.hasPrefix("the budget is spent"))
        let day = try Self.router {
            $0.strongAbove = 0
            $0.cheapBelow = 0
            $0.dayBudget = 2_000
        }
        #expect(day.choose(Self.request { $0.spentToday = 1_999 }).mode == .direct(.strong))
        #expect(day.choose(Self.request { $0.spentToday = 2_000 }).mode == .probe)
    }

    @Test func afterAToolsResultTheCheapModelIsNeverAlone() throws {
        let result = Array(Self.farewell.prefix(5))
        let router = try Self.router {
            $0.strongAbove = 1
            $0.cheapBelow = 0.5
        }
        #expect(router.choose(.init(Self.dialogue(result), promptTokens: 600)).mode != .direct(.cheap))
    }

    @Test func aLineThatTheFlowKnowsCostsNothing() throws {
        let choice = try Self.router().choose(Self.request { $0.hasScriptedLine = true })
        #expect(choice.mode == .scripted)
        #expect(choice.expectedCost == 0)
    }

    @Test func lateHandOversStartBothModels() throws {
        let router = try Self.router {
            $0.allowsCheap = false
            $0.allowsParallel = true
            $0.waitMax = .zero
        }
        #expect(router.choose(Self.request()).mode == .parallel)
    }

    @Test func aModelThatIsUnwellIsNotChosen() throws {
        let strong = Self.price(2000, 500, 8000)
        let cheap = Self.price(400, 100, 1600)
        var small = Router.Model(name: "small", prices: cheap)
        small.isHealthy = false
        let odds = try #require(ToolOdds.shipped)
        let router = try Router(
            cheap: small, strong: .init(name: "large", prices: strong), policy: RoutingPolicy(), odds: odds)
        #expect(router.choose(Self.request()).mode == .direct(.strong))
    }

    @Test func contradictionsAreRefusedBeforeAnyCall() throws {
        let cases: [((inout RoutingPolicy) -> Void, RoutingProblem)] = [
            ({ $0.strongAbove = -1 }, .outOfRange("strong_above")),
            ({ $0.canaryShare = .nan }, .outOfRange("canary_share")),
            ({ $0.dayBudget = 0 }, .outOfRange("day_budget")),
            (
                {
                    $0.callBudget = 10
                    $0.allowsCheap = false
                    $0.allowsProbe = false
                }, .budgetWithoutCheaperWay
            ),
            (
                {
                    $0.allowsParallel = true
                    $0.allowsProbe = false
                }, .parallelWithoutProbe
            ),
            ({ $0.waitMax = .seconds(61) }, .outOfRange("wait_max_ms")),
        ]
        for (change, problem) in cases { #expect(throws: problem) { try Self.router(change) } }
    }

    @Test func aTenantsRulesAreChecked() throws {
        var rules = RoutingRules()
        rules.dayBudget = .zero
        #expect(throws: RoutingProblem.outOfRange("day_budget")) { try rules.check() }
        rules.dayBudget = .dollars(20)
        try rules.check()
        rules.floor = .strong
        #expect(throws: RoutingProblem.budgetWithoutCheaperWay) { try rules.check() }
    }

    @Test func pricesAreNeverGuessed() throws {
        #expect(throws: RoutingProblem.missingPrice) {
            try TokenPrice(dollarsPerMillion: ["in": 2, "cached": 1])
        }
        #expect(throws: RoutingProblem.cachedAboveInput) {
            try Self.price(1, 2, 3).check()
        }
        #expect(throws: RoutingProblem.priceOutOfRange) {
            try Self.price(-1, -1, 3).check()
        }
        let dear = Self.price(2000, 500, 8000)
        let low = Self.price(400, 100, 1600)
        let odds = try #require(ToolOdds.shipped)
        #expect(throws: RoutingProblem.cheapCostsMore) {
            try Router(
                cheap: .init(name: "a", prices: dear), strong: .init(name: "b", prices: low),
                policy: RoutingPolicy(),
                odds: odds)
        }
        #expect(throws: RoutingProblem.unknownModel("")) {
            try Router(
                cheap: .init(name: "", prices: low), strong: .init(name: "b", prices: dear),
                policy: RoutingPolicy(),
                odds: odds)
        }
    }
}
