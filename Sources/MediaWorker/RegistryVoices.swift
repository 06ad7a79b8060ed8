import Agents
import Base
package import CallDispatch
package import NIOCore
package import Speech

extension CallVoices {
    /// The vendors that `plan` names. Its fixed lines are made ahead, so that they can be spoken when all else fails.
    ///
    /// - Throws: `Fault` speech.not_configured
    package init(_ plan: Plan, from registry: SpeechRegistry, on loop: any EventLoop) throws {
        let definition = plan.definition
        guard let recogniser = registry.speechToText(definition.voice.stt),
            let synthesiser = registry.textToSpeech(definition.voice.tts)
        else { throw Fault(code: "speech.not_configured", retry: .never, cause: "no such voice here") }
        registry.prepare(
            definition.fixedSpeech, voice: definition.voice.voice, of: definition.voice.tts, on: loop)
        // Without a credential the call still comes about: the agent says that something is wrong.
        let model = registry.languageModel(
            Self.accounts(plan), tenant: plan.tenant, cacheKey: "\(plan.agent):\(plan.agentVersion)")
        model?.prepare(on: loop)
        self.init(recogniser: recogniser, synthesiser: synthesiser, model: model)
    }

    /// The agent's models that the tenant has a credential for, first choice first.
    private static func accounts(_ plan: Plan) -> [SpeechRegistry.ModelAccount] {
        (plan.definition.prompt?.choices ?? []).compactMap { choice in
            plan.vendors.first { $0.vendor == choice.vendor }.map {
                SpeechRegistry.ModelAccount(choice: choice, key: $0.key, baseURL: $0.baseURL)
            }
        }
    }
}
