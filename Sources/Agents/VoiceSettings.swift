package import Base

/// Who hears for an agent and who speaks for it, each with the vendors that take over when one fails.
package struct VoiceSettings: Hashable, Sendable, Codable {
    /// Recogniser: `offline`, `deepgram`.
    package var stt = "offline"
    /// The recogniser's model; nil: the vendor's usual one.
    package var sttModel: String?
    /// Settings of the vendor's own; `VoiceVendors` lists them.
    package var sttOptions: [String: JSON] = [:]
    /// Asked in order when the recogniser before fails.
    package var sttFallbacks: [RecogniserChoice] = []
    /// Names and words of the agent's field, for the recogniser to listen for.
    package var keyterms: [String] = []
    /// Synthesiser: `offline`, `cartesia`, `elevenlabs`.
    package var tts = "offline"
    package var ttsModel: String?
    package var ttsOptions: [String: JSON] = [:]
    /// The synthesiser's voice: `slt`, `rms`, `awb`, `kal` offline; a vendor's id else.
    package var voice = "slt"
    /// Asked in order when the synthesiser before fails, each in the voice that is most like `voice` there.
    package var ttsFallbacks: [SpeakerChoice] = []
    package init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case stt, tts, voice, keyterms
        case sttModel = "stt_model"
        case sttOptions = "stt_options"
        case sttFallbacks = "stt_fallbacks"
        case ttsModel = "tts_model"
        case ttsOptions = "tts_options"
        case ttsFallbacks = "tts_fallbacks"
    }

    /// The first is asked first.
    package var recognisers: [RecogniserChoice] {
        [RecogniserChoice(vendor: stt, model: sttModel, options: sttOptions)] + sttFallbacks
    }
    /// The first is asked first.
    package var speakers: [SpeakerChoice] {
        [SpeakerChoice(vendor: tts, model: ttsModel, voice: voice, options: ttsOptions)] + ttsFallbacks
    }
}

/// One recogniser of a chain.
package struct RecogniserChoice: Hashable, Sendable, Codable {
    package var vendor: String
    package var model: String?
    package var options: [String: JSON] = [:]
    package init(vendor: String, model: String? = nil, options: [String: JSON] = [:]) {
        self.vendor = vendor
        self.model = model
        self.options = options
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case vendor, model, options }
}

/// One synthesiser of a chain, and its voice.
package struct SpeakerChoice: Hashable, Sendable, Codable {
    package var vendor: String
    package var model: String?
    package var voice: String
    package var options: [String: JSON] = [:]
    package init(vendor: String, model: String? = nil, voice: String, options: [String: JSON] = [:]) {
        self.vendor = vendor
        self.model = model
        self.voice = voice
        self.options = options
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case vendor, model, voice, options }
}

extension VoiceSettings {
    package init(from decoder: any Decoder) throws {
        self.init()
        try decoder.strict(CodingKeys.self).fill(
            &self, (.stt, \.stt), (.sttModel, \.sttModel), (.sttOptions, \.sttOptions),
            (.sttFallbacks, \.sttFallbacks), (.keyterms, \.keyterms), (.tts, \.tts), (.ttsModel, \.ttsModel),
            (.ttsOptions, \.ttsOptions), (.voice, \.voice), (.ttsFallbacks, \.ttsFallbacks))
    }
}

extension RecogniserChoice {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(vendor: try from.decode(String.self, forKey: .vendor))
        try from.fill(&self, (.model, \.model), (.options, \.options))
    }
}

extension SpeakerChoice {
    package init(from decoder: any Decoder) throws {
        let from = try decoder.strict(CodingKeys.self)
        self.init(
            vendor: try from.decode(String.self, forKey: .vendor),
            voice: try from.decode(String.self, forKey: .voice))
        try from.fill(&self, (.model, \.model), (.options, \.options))
    }
}

extension RecogniserChoice {
    /// The model that is asked for: the one named, else the vendor's usual one; nil offline.
    package var product: String? { VoiceVendors.product(vendor, model) }
    /// As usage and prices name it: `deepgram/nova-3`, `offline`.
    package var source: String { VoiceVendors.source(vendor, model) }
}

extension SpeakerChoice {
    /// As of a recogniser.
    package var product: String? { VoiceVendors.product(vendor, model) }
    package var source: String { VoiceVendors.source(vendor, model) }
}

extension SpeakerChoice {
    /// Its model goes by the text, and is told no language.
    package var speaksAnyLanguage: Bool {
        vendor == "elevenlabs" && product.map { VoiceVendors.elevenLabsTakesLanguage($0) } == false
    }
}

/// The vendors of speech that an agent may name, and what may be set of each.
package enum VoiceVendors {
    /// The model that is asked for where an agent names none.
    package static let usualModels = [
        "deepgram": "nova-3", "cartesia": "sonic-3.5", "elevenlabs": "eleven_flash_v2_5",
    ]

    /// ElevenLabs' models that are spoken with as dialogues: other paths, other messages.
    package static func isElevenLabsDialogue(_ model: String) -> Bool {
        model.hasPrefix("eleven_v3") || model.hasPrefix("eleven_v4")
    }
    /// ElevenLabs' other models go by the text.
    package static func elevenLabsTakesLanguage(_ model: String) -> Bool {
        isElevenLabsDialogue(model) || model.hasSuffix("_v2_5")
    }

    /// Empty for a vendor without models.
    package static func usualModel(_ vendor: String) -> String { usualModels[vendor] ?? "" }

    static func product(_ vendor: String, _ model: String?) -> String? {
        vendor == Usage.offline ? nil : model ?? usualModels[vendor]
    }

    static func source(_ vendor: String, _ model: String?) -> String {
        product(vendor, model).map { "\(vendor)/\($0)" } ?? vendor
    }

    package enum Option: Hashable, Sendable {
        case flag
        case number(ClosedRange<Double>)
        case whole(ClosedRange<Int64>)
        case text
    }

    package static let recognisers: [String: [String: Option]] = [
        "offline": [:],
        "deepgram": [
            "endpointing_ms": .whole(10...5_000), "smart_format": .flag, "mip_opt_out": .flag,
            "eot_threshold": .number(0.5...1), "eager_eot_threshold": .number(0.3...0.9),
            "eot_timeout_ms": .whole(500...60_000),
        ],
    ]
    package static let synthesisers: [String: [String: Option]] = [
        "offline": [:],
        "cartesia": ["speed": .number(0.6...1.5), "volume": .number(0.5...2), "emotion": .text],
        "elevenlabs": [
            "stability": .number(0...1), "similarity_boost": .number(0...1), "style": .number(0...1),
            "use_speaker_boost": .flag, "speed": .number(0.7...1.2), "enable_logging": .flag,
        ],
    ]

    /// What is wrong with this value; nil: nothing.
    static func problem(_ value: JSON, as option: Option) -> String? {
        switch (option, value) {
        case (.flag, .bool), (.text, .string): nil
        case (.flag, _): "must be true or false"
        case (.text, _): "must be a text"
        case (.number(let range), .int(let number)): range.contains(Double(number)) ? nil : said(range)
        case (.number(let range), .double(let number)): range.contains(number) ? nil : said(range)
        case (.number(let range), _): said(range)
        case (.whole(let range), .int(let number)) where range.contains(number): nil
        case (.whole(let range), _): "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        }
    }

    private static func said(_ range: ClosedRange<Double>) -> String {
        func short(_ value: Double) -> String { value == value.rounded() ? "\(Int64(value))" : "\(value)" }
        return "must be \(short(range.lowerBound)) to \(short(range.upperBound))"
    }
}

extension AgentCheck {
    /// Recognisers of that name hear several languages; a voice speaks one, or goes by the text.
    static let manyLanguages = "multi"

    mutating func checkVoice() {
        let voice = definition.voice
        if voice.sttFallbacks.count > AgentLimits.voiceFallbacks {
            report("voice.stt_fallbacks", "more than \(AgentLimits.voiceFallbacks)")
        }
        if voice.ttsFallbacks.count > AgentLimits.voiceFallbacks {
            report("voice.tts_fallbacks", "more than \(AgentLimits.voiceFallbacks)")
        }
        check(voice.recognisers[0], vendor: "voice.stt", "voice.stt_")
        for (index, choice) in voice.sttFallbacks.enumerated() {
            let path = "voice.stt_fallbacks[\(index)]."
            check(choice, vendor: path + "vendor", path)
        }
        check(voice.speakers[0], vendor: "voice.tts", "voice.tts_", voice: "voice.voice")
        for (index, choice) in voice.ttsFallbacks.enumerated() {
            let path = "voice.tts_fallbacks[\(index)]."
            check(choice, vendor: path + "vendor", path, voice: path + "voice")
        }
        if voice.keyterms.count > AgentLimits.keyterms {
            report("voice.keyterms", "more than \(AgentLimits.keyterms)")
        }
        for (index, term) in voice.keyterms.enumerated() {
            text(term, "voice.keyterms[\(index)]", max: AgentLimits.phraseCharacters)
        }
        let vendors = voice.recognisers.map(\.vendor) + voice.speakers.map(\.vendor)
        if vendors.contains("offline"), definition.language != "en-US" {
            report("language", "the offline voices speak en-US only")
        }
        if definition.language == Self.manyLanguages,
            let deaf = voice.speakers.first(where: { !$0.speaksAnyLanguage && $0.vendor != Usage.offline })
        {
            report("language", "\(deaf.source) must be told one language; multi names none")
        }
        let isTag = definition.language.utf8.allSatisfy {
            (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2D
        }
        if !isTag || !(2...35).contains(definition.language.utf8.count) {
            report("language", "must be a BCP 47 tag, like en-US")
        }
    }

    private mutating func check(_ choice: RecogniserChoice, vendor: String, _ path: String) {
        guard let options = VoiceVendors.recognisers[choice.vendor] else {
            let known = VoiceVendors.recognisers.keys.sorted().joined(separator: ", ")
            return report(vendor, "unknown recogniser; known: \(known)")
        }
        check(choice.model, path + "model")
        check(choice.options, options, path + "options")
    }

    private mutating func check(
        _ choice: SpeakerChoice, vendor: String, _ path: String, voice: String
    ) {
        guard let options = VoiceVendors.synthesisers[choice.vendor] else {
            let known = VoiceVendors.synthesisers.keys.sorted().joined(separator: ", ")
            return report(vendor, "unknown synthesiser; known: \(known)")
        }
        check(choice.model, path + "model")
        check(choice.options, options, path + "options")
        if choice.vendor != "offline" {
            plain(choice.voice, voice)
        } else if !AgentLimits.voices.contains(choice.voice) {
            report(voice, "unknown voice; known: \(AgentLimits.voices.joined(separator: ", "))")
        }
    }

    private mutating func check(_ model: String?, _ path: String) {
        if let model { plain(model, path) }
    }

    /// It goes into a URL or a header of the vendor's.
    private mutating func plain(_ text: String, _ path: String) {
        let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        if !isPlain || !(1...AgentLimits.idCharacters).contains(text.utf8.count) {
            report(path, "must be 1 to \(AgentLimits.idCharacters) printable ASCII characters without spaces")
        }
    }

    private mutating func check(
        _ given: [String: JSON], _ known: [String: VoiceVendors.Option], _ path: String
    ) {
        for (name, value) in given.sorted(by: { $0.key < $1.key }) {
            guard let option = known[name] else {
                report(
                    "\(path).\(name)",
                    known.isEmpty
                        ? "this vendor has no options"
                        : "unknown; known: \(known.keys.sorted().joined(separator: ", "))")
                continue
            }
            if let problem = VoiceVendors.problem(value, as: option) { report("\(path).\(name)", problem) }
        }
    }
}
