import Base
package import NIOCore
package import WebSockets

/// Deepgram as a recogniser: Nova or Flux, one socket a call, µ-law passed through.
///
/// Source: `/v1/listen` and `/v2/listen`, Deepgram's API reference.
package struct DeepgramSpeechToText: SpeechToText {
    package static let vendor = "deepgram"

    /// Speech went there and nothing at all came back for so long: the vendor is given up.
    package static let silentMax = Duration.seconds(4)

    let access: VendorAccess
    let options: DeepgramOptions
    let reach: WebSocketReach
    let silentMax: Duration

    package init(
        access: VendorAccess, options: DeepgramOptions, reach: WebSocketReach,
        silentMax: Duration = DeepgramSpeechToText.silentMax
    ) {
        self.access = access
        self.options = options
        self.reach = reach
        self.silentMax = silentMax
    }

    package func open(
        _ settings: RecognitionSettings, on loop: any EventLoop,
        events: @escaping @Sendable (RecognitionEvent) -> Void
    ) -> any RecognitionStream {
        let terms = DeepgramKeyterms.kept(settings.phrases)
        let dialect: any DeepgramDialect =
            options.isFlux
            ? FluxDialect(terms: terms) : NovaDialect(model: options.model, terms: terms)
        let stream = DeepgramListening(
            dialect, source: "\(Self.vendor)/\(options.model)", silentMax: silentMax, loop: loop,
            events: events)
        if let fault = obstacle(settings) {
            stream.failSoon(fault)
        } else {
            let path = options.isFlux ? "/v2/listen" : "/v1/listen"
            stream.start(
                access.socketURL(path, query: query(settings, terms)),
                headers: [("Authorization", "Token \(access.key.reveal)")], reach: reach)
        }
        return stream
    }

    private func obstacle(_ settings: RecognitionSettings) -> Fault? {
        let isEnglish = settings.language.lowercased().hasPrefix("en")
        guard options.model == "flux-general-en", !isEnglish else { return nil }
        return Fault(code: "stt.language", retry: .never, cause: "flux-general-en knows English only")
    }

    private func query(_ settings: RecognitionSettings, _ terms: [String]) -> [(String, String)] {
        var query = [("model", options.model), ("encoding", "mulaw"), ("sample_rate", "8000")]
        if options.isFlux {
            query += [
                ("eot_threshold", "\(options.endOfTurn)"),
                ("eager_eot_threshold", "\(min(options.eagerEndOfTurn, options.endOfTurn))"),
                ("eot_timeout_ms", "\(options.endOfTurnMs)"),
            ]
            if options.formatsNumbers { query.append(("numerals", "true")) }
            if options.model.hasSuffix("-multi") {
                query.append(("language_hint", String(settings.language.prefix { $0 != "-" })))
            }
        } else {
            query += [
                ("language", settings.language), ("interim_results", "true"), ("punctuate", "true"),
                ("smart_format", options.formatsNumbers ? "true" : "false"),
                ("endpointing", "\(options.endpointingMs)"), ("utterance_end_ms", "1000"),
            ]
        }
        if options.optsOutOfImprovement { query.append(("mip_opt_out", "true")) }
        // Nova-2 knows keyterms under another name and with weights: left alone.
        let takesTerms = options.isFlux || options.model.hasPrefix("nova-3")
        return query + (takesTerms ? terms.map { ("keyterm", $0) } : [])
    }
}
