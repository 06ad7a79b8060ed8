import Agents
package import Base

/// How Deepgram listens for one agent.
package struct DeepgramOptions: Hashable, Sendable {
    /// `nova-3…` listens at `/v1/listen`, `flux-…` at `/v2/listen`.
    package var model = VoiceVendors.usualModel("deepgram")
    /// Audio is not kept for the improvement of models. Deepgram's own default is false.
    package var optsOutOfImprovement = true
    /// Nova: silence before the vendor itself ends an utterance that the ear has not ended, milliseconds.
    package var endpointingMs = 300
    /// Dates, numbers and sums are written as figures.
    package var formatsNumbers = false
    /// Flux: from which probability on it tells that the turn is over. 0.5...1.
    package var endOfTurn = 0.7
    /// Flux: from which probability on it tells that the turn may be over. 0.3...0.9.
    package var eagerEndOfTurn = 0.4
    /// Flux: silence that ends a turn whatever the words are, milliseconds. 500...60000.
    package var endOfTurnMs = 1_500

    package init() {}

    package var isFlux: Bool { model.hasPrefix("flux") }

    /// Members of an agent's `stt_options`; unknown ones and wrong types are passed over, as publishing refuses them.
    package init(model: String?, _ options: [String: JSON]) {
        if let model { self.model = model }
        optsOutOfImprovement = options["mip_opt_out"]?.bool ?? optsOutOfImprovement
        formatsNumbers = options["smart_format"]?.bool ?? formatsNumbers
        endpointingMs = options["endpointing_ms"]?.int.map(Int.init(clamping:)) ?? endpointingMs
        endOfTurnMs = options["eot_timeout_ms"]?.int.map(Int.init(clamping:)) ?? endOfTurnMs
        endOfTurn = options["eot_threshold"]?.number ?? endOfTurn
        eagerEndOfTurn = options["eager_eot_threshold"]?.number ?? eagerEndOfTurn
    }
}
