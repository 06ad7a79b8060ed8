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
        var model: (any LanguageModel)?
        if let prompt = definition.prompt {
            // Without a credential the call still comes about: the agent says that something is wrong.
            model = plan.vendors.first { $0.vendor == prompt.vendor }.map {
                registry.languageModel(vendor: $0.vendor, key: $0.key, baseURL: $0.baseURL)
            }
        }
        self.init(recogniser: recogniser, synthesiser: synthesiser, model: model)
    }
}
