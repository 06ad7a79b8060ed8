import Agents
import Base
import Billing
package import CallDispatch
package import NIOCore
import Routing
package import Speech

extension CallVoices {
    /// The vendors that `plan` names. Its fixed lines are made ahead, so that they can be spoken when all else fails.
    ///
    /// - Throws: `Fault` speech.not_configured
    package init(_ plan: Plan, from registry: SpeechRegistry, on loop: any EventLoop) throws {
        let definition = plan.definition
        let recognisers = definition.voice.recognisers.compactMap { choice in
            registry.recogniser(choice, access: plan.access(choice.vendor)).map {
                RecognitionChain.Link(
                    key: plan.breaker("stt", choice.vendor, choice.product),
                    credential: plan.credential(choice.vendor), recogniser: $0)
            }
        }
        var speakers: [SynthesisChain.Link] = []
        for choice in definition.voice.speakers {
            guard
                let speaker = registry.synthesiser(
                    choice, language: definition.language, access: plan.access(choice.vendor))
            else { continue }
            // The first one's lines are there when all else fails.
            if speakers.isEmpty { speaker.prepare(definition.fixedSpeech, voice: choice.voice, on: loop) }
            speakers.append(
                SynthesisChain.Link(
                    key: plan.breaker("tts", choice.vendor, choice.product),
                    credential: plan.credential(choice.vendor), voice: choice.voice, synthesiser: speaker))
        }
        guard !recognisers.isEmpty, !speakers.isEmpty else {
            throw Fault(code: "speech.not_configured", retry: .never, cause: "no such voice here")
        }
        // Without a credential the call still comes about: the agent says that something is wrong.
        let model = plan.model(from: registry)
        model?.prepare(on: loop)
        self.init(
            recogniser: RecognitionChain(
                recognisers, tenant: plan.tenant, breakers: registry.breakers, accounts: registry.accounts),
            synthesiser: SynthesisChain(
                speakers, tenant: plan.tenant, breakers: registry.breakers, accounts: registry.accounts),
            model: model)
    }
}

extension Plan {
    fileprivate func access(_ vendor: String) -> VendorAccess? {
        vendors.account(vendor).map { VendorAccess(key: $0.key, baseURL: $0.baseURL) }
    }

    fileprivate func credential(_ vendor: String) -> Redacted<String> {
        access(vendor)?.key ?? Redacted("")
    }

    /// Calls that ask the same product in the same place learn of each other's failures.
    fileprivate func breaker(_ stage: String, _ vendor: String, _ model: String?) -> CircuitBreakers.Key {
        CircuitBreakers.Key(
            stage: stage, vendor: vendor, product: model ?? "", host: access(vendor)?.baseURL ?? "")
    }

    /// The agent's models that the tenant has a credential for, routed where the agent says so.
    fileprivate func model(from registry: SpeechRegistry) -> (any LanguageModel)? {
        let strong = (definition.prompt?.choices ?? []).compactMap(account)
        let cacheKey = "\(agent):\(agentVersion)"
        guard let first = strong.first, let routing = definition.prompt?.routing, routing.mode != .off,
            let cheap = account(routing.cheap),
            // Prices and floor were looked at when the agent was published; where they are others now nothing is routed.
            let router = try? Router(
                routing, under: self.routing?.rules ?? RoutingRules(), strong: first.choice,
                price: prices.tokenPrice)
        else { return registry.languageModel(strong, tenant: tenant, cacheKey: cacheKey) }
        let priced = (strong + [cheap]).compactMap { account in
            prices.tokenPrice(account.choice).map { (account.choice.source, $0) }
        }
        var settings = RoutedModel.Settings(
            router: router, prices: Dictionary(priced) { first, _ in first }, agent: agent.description,
            lot: Double(WordHash.of(call.description)) / (Double(UInt32.max) + 1), learns: routing.learn)
        settings.closingTool = PromptMachine.endCallName
        settings.spentToday = self.routing?.spentToday ?? .zero
        return registry.routedModel(
            cheap: cheap, strong: strong, settings, tenant: tenant, cacheKey: cacheKey)
    }

    private func account(_ choice: ModelChoice) -> SpeechRegistry.ModelAccount? {
        access(choice.vendor).map {
            SpeechRegistry.ModelAccount(choice: choice, key: $0.key, baseURL: $0.baseURL)
        }
    }
}
