import Agents
import Base
import Billing
import CallDispatch
import Conversation
import Foundation
import MediaWorker
import Review
import Routing
import Speech

/// What the router decides for each request of a stored call, by the agent's own rules and the list prices.
struct JournalRoutes {
    let router: Router
    /// The agent's models: the cheap one, and the strong one.
    let choices: (cheap: ModelChoice, strong: ModelChoice)
    private let journal: JournalReading

    init(_ path: String) throws {
        let file = try GivenFile.read(path)
        do throws(JournalReading.Unreadable) {
            journal = try JournalReading(file)
        } catch {
            throw DemoFailure("\(path): \(error.description)")
        }
        let prompt = journal.call.legs.first?.start.definition.prompt
        guard let prompt, let routing = prompt.routing else {
            throw DemoFailure("\(path): its agent names no cheap model (prompt.routing)")
        }
        choices = (routing.cheap, prompt.choices[0])
        let book = PriceBook(id: PriceBook.standard.id, rates: try ListPrices.rates())
        do throws(RoutingProblem) {
            router = try Router(routing, strong: prompt.choices[0], price: book.tokenPrice)
        } catch .missingPrice {
            throw DemoFailure(
                "deploy/prices.json has no price of \(routing.cheap.source) or \(prompt.choices[0].source)")
        } catch {
            throw DemoFailure("prompt.routing\(error.path): \(error.message)")
        }
    }

    /// One request of the call, and what the router says of it.
    struct Decided {
        /// Its number, within call and epoch.
        var id: String
        var at: CallTime
        var chat: ChatRequest
        var request: Router.Request
        var choice: Router.Choice
    }

    /// In their order.
    func decided() -> [Decided] {
        var all: [Decided] = []
        for (header, leg) in zip(journal.headers, journal.call.legs) {
            var machine = leg.start.conversation
            var history = RoutedHistory(closingTool: PromptMachine.endCallName)
            var requests = ChatRequests()
            for entry in leg.entries {
                for case .startReply(let id, let asked) in machine.handle(entry.input, at: entry.at) {
                    let request = requests.next(asked)
                    let now = Duration.nanoseconds(entry.at.nanoseconds)
                    let routed = history.follow(request, at: now, router).request
                    let choice = router.choose(routed)
                    let isStrong = choice.mode == .direct(.strong)
                    history.sent(request, to: isStrong ? .strong : .cheap, at: now)
                    all.append(
                        Decided(
                            id: "\(header.call)#\(header.epoch).\(id.number)", at: entry.at, chat: request,
                            request: routed, choice: choice))
                }
            }
        }
        return all
    }
}
