/// A recogniser on loopback that speaks Deepgram's `/v1/listen` (Nova) and `/v2/listen` (Flux).
///
/// It understands callers by `KnownSpeech`, or hears speech by its loudness and takes the words from a script. Partials come
/// every `partialEvery` of audio, the final `finalDelay` after the last sound.
/// Source: reference/providers/deepgram.md.
package enum SimulatedDeepgram {
    package struct Configuration: Sendable {
        package var vendor = VendorSettings()
        package var known: [KnownSpeech] = []
        /// Lines of every caller in order, again from the first after the last; only without `known`.
        package var script: [String] = []
        /// Of audio between two partials (Nova); Flux tells every `updateEvery`.
        package var partialEvery: Duration = .milliseconds(100)
        package var updateEvery: Duration = .milliseconds(250)
        /// From a caller's audio to the partial that has it.
        package var partialDelay = DelayLaw.fixed(.zero)
        /// From the last sound of an utterance to its final (Nova) or the end of the turn (Flux).
        package var finalDelay = DelayLaw.fixed(.milliseconds(150))
        /// Flux: from the last sound to the guess that the turn is over.
        package var eagerDelay = DelayLaw.fixed(.milliseconds(100))
        package init() {}
    }

    /// - Throws: what binding the port or the certificate gave.
    package static func start(_ configuration: Configuration = Configuration()) async throws
        -> SimulatedVendor
    {
        var known = KnownFrames()
        known.learn(configuration.known)
        let frames = known
        return try await SimulatedVendor.start(
            configuration.vendor, header: "authorization", credential: { "Token \($0)" },
            trace: [("dg-request-id", "dg-sim-1"), ("dg-error", "REFUSED")],
            refusal: { status in
                #"{"err_code":"\#(status == 401 ? "INVALID_AUTH" : "REFUSED")","err_msg":"no"}"#
            }
        ) { asked, visit in
            let isFlux = asked.path.hasSuffix("/v2/listen")
            guard isFlux || asked.path.hasSuffix("/v1/listen") else { return .refuse(404) }
            guard let model = asked.query[name: "model"], model.hasPrefix("flux") == isFlux else {
                return .refuse(400)
            }
            let hearing = SimulatedHearing(known: frames, script: configuration.script)
            return .guest(DeepgramGuest(hearing, configuration, visit, asked, isFlux: isFlux))
        }
    }
}

/// A Flux socket's own state.
struct FluxTalk {
    let isEager: Bool
    var sequence = 1
    var turn = 0
    var hasStarted = false
    var hasGuessed = false
    var lastText = ""
}
