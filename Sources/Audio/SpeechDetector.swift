/// Hears the caller's voice in 8 kHz audio: the first hint of it, when it starts, when it fades, when it ends.
///
/// Owns: the five events and their times. Does not own: what they mean (Turns), words (the recogniser), waiting out
/// pauses: an end is told as soon as it is sure that the voice does not sound.
/// A voice is what the network calls one and what is louder than the floor and than the agent's echo; without weights,
/// loudness alone. Where much that is loud is no voice (music on hold, a television), more evidence is asked for, unless
/// it is far louder than that. While the agent sounds, any loud sound stirs: to turn the agent down costs little.
package struct SpeechDetector: Sendable {
    package struct Policy: Hashable, Sendable {
        /// dB over the floor that can be the onset of a voice. 3...30.
        package var onsetDecibels = 8.0
        /// dB over the floor that a voice keeps. Below `onsetDecibels`.
        package var holdDecibels = 5.0
        /// And that it keeps where the network is sure of it: in noise a word's end is hardly louder than the floor.
        package var sureDecibels = 1.0
        /// Probability that stirs, and below which a stirring settles.
        package var stirProbability: Float = 0.15
        /// Probability from which 20 ms count towards a start.
        package var onsetProbability: Float = 0.4
        /// Probability that a voice keeps.
        package var holdProbability: Float = 0.5
        /// Probability that is sure.
        package var sureProbability: Float = 0.8
        /// Sum of probabilities, one each 20 ms, that makes a start on a quiet line...
        package var mass: Float = 0.4
        /// ...over the agent where the sound has no pitch: a cough, a breath...
        package var massUnvoiced: Float = 3
        /// ...which it has from here on, see `Voicing`. 0...1.
        package var voicing: Float = 0.6
        /// ...where the agent's echo sounds: 40 ms...
        package var massEchoing: Float = 1.2
        /// ...and where all that is loud is something else.
        package var massCluttered: Float = 12
        /// So many dB over what is usually loud is no clutter, however much of that there is. 6...30.
        package var outstandingDecibels = 15.0
        /// Share of time without voice that is loud all the same: up to here a line is quiet...
        package var clutterQuiet: Float = 0.45
        /// ...and from here on wholly cluttered. 0...1, over `clutterQuiet`.
        package var clutterFull: Float = 0.75
        /// Loud for so long, a sound over the agent stirs whatever the network says. 10...100.
        package var loudMs = 50
        /// And so many dB over what is usually loud. 0...20.
        package var loudDecibels = 6.0
        /// dB more that an onset over the agent needs: the network hears a voice in the agent's echo, and a
        /// wave of noise would do for the rest. 0...10.
        package var echoDecibels = 4.0
        /// How long no voice sounds before it is told to fade. 40...500, below `endMs`.
        package var fadeMs = 40
        /// How long no voice sounds before its end is told. 40...500.
        package var endMs = 100
        /// A voice is taken to go on where the agent's echo covers it, for so long. 0...500.
        package var coveredMs = 150
        /// A stirring that became nothing settles after so long.
        package var settleMs = 120

        /// Found on hand-marked clips and music on hold, see docs/benchmarks.md.
        package static let network = Policy()
        /// Without weights: three loud blocks.
        package static let loudness: Policy = {
            var policy = Policy()
            policy.onsetDecibels = 12
            policy.holdDecibels = 7
            policy.sureDecibels = 7
            policy.mass = 3
            return policy
        }()

        package init() {}
    }

    package enum Event: Hashable, Sendable {
        /// Perhaps a voice: enough to turn the agent down, not to stop it. `settled` or `speechStarted` follows.
        case stirred
        /// What stirred was nothing.
        case settled
        /// A voice, which began `agoMs` before the end of the audio taken so far.
        case speechStarted(agoMs: Int)
        /// The voice has stopped for a moment, as between words or at the end; its last sample was `agoMs` before the end
        /// of the audio taken so far. It goes on without a word, or `speechEnded` follows.
        case speechFading(agoMs: Int)
        /// No voice any more; its last sample was `agoMs` before the end of the audio taken so far.
        case speechEnded(agoMs: Int)
    }

    private enum State: Hashable { case quiet, stirred(atMs: Int), speech }

    /// Decisions are made every 20 ms, of two halves.
    package static let blockMs = 20
    static let halfMs = 10
    static let halfSamples = AgentVoice.halfSamples
    /// The agent still sounds at the caller's so long after it was last loud: as late as an echo comes back.
    static let agentMs = EchoLevel.lags * halfMs
    /// An onset is at most so long before what first counted towards a start.
    static let onsetBackMs = 80
    /// A dip this short does not end a loud run.
    static let dipMs = 20

    package var isSpeech: Bool { state == .speech }
    /// What the network said last, 0...1; without weights 1 where it is loud.
    package private(set) var probability: Float = 0
    /// Of the last 10 ms, see `Level.decibels`.
    package private(set) var decibels = 0.0
    package var floorDecibels: Double { floor.decibels }
    private let policy: Policy
    private var vad: SileroVAD?
    private var state = State.quiet
    private var half = LevelSums()
    private var floor = NoiseFloor()
    private var agent = AgentVoice()
    private var echo = EchoLevel()
    private var times = Times()
    /// dB over floor and echo: the louder half of this block.
    private var over = 0.0
    private var mass: Float = 0
    private var clutter = Clutter()
    private var hasFaded = false

    /// All in ms of audio taken.
    private struct Times {
        var heard = 0
        var loudSince = 0
        var lastLoud = 0
        /// Loud by itself, not only covered by the agent's echo.
        var lastClear = 0
        var lastLikely = 0
        var massSince = 0
        /// Well over floor, echo and clutter for so long.
        var loudFor = 0
        /// When the agent was last loud; nil before it was.
        var agentAt: Int?
    }

    /// `weights` nil: by loudness alone. The policy is that of the kind when nil.
    package init(_ weights: SileroVAD.Weights?, policy: Policy? = nil) {
        self.policy = policy ?? (weights == nil ? .loudness : .network)
        vad = weights.map { SileroVAD($0) }
    }

    /// What is played to the caller, told before what is heard at that time: it may come back as an echo. Any number of samples.
    package mutating func agentSounds(_ samples: UnsafeBufferPointer<Int16>) { agent.add(samples) }

    /// Takes any number of samples; `tell` is called for each event in order.
    package mutating func hear(_ samples: UnsafeBufferPointer<Int16>, tell: (Event) -> Void) {
        var rest = samples[...]
        while !rest.isEmpty {
            // Up to where the network's chunk or our half ends.
            let count = min(rest.count, Self.halfSamples - half.count, vad?.room ?? .max)
            take(UnsafeBufferPointer(rebasing: rest.prefix(count)), tell)
            rest = rest.dropFirst(count)
        }
    }

    private mutating func take(_ samples: UnsafeBufferPointer<Int16>, _ tell: (Event) -> Void) {
        half.add(samples)
        if vad?.take(samples) == true { endChunk() }
        guard half.count == Self.halfSamples else { return }
        endHalf()
        guard times.heard % Self.blockMs == 0 else { return }
        isSpeech ? listenForEnd(tell) : listenForStart(tell)
        over = 0
    }

    private mutating func endChunk() {
        probability = vad?.probability ?? 0
        guard probability >= policy.holdProbability else { return }
        times.lastLikely = times.heard + half.count / (Self.halfSamples / Self.halfMs)
    }

    private mutating func endHalf() {
        times.heard += Self.halfMs
        decibels = half.decibels
        half = LevelSums()
        let played = agent.next()
        let over = echo.over(decibels, floor: floor.decibels, agent: played, isSpeech: isSpeech)
        floor.add(decibels, ms: Self.halfMs)
        self.over = max(self.over, over)
        let isLoud = over >= max(policy.onsetDecibels, clutter.decibels + policy.loudDecibels)
        times.loudFor = isLoud ? times.loudFor + Self.halfMs : 0
        if played != nil { times.agentAt = times.heard }
        let isSure = probability >= policy.sureProbability && isSpeech
        if over >= (isSure ? policy.sureDecibels : policy.holdDecibels) {
            times.lastClear = times.heard
        } else {
            // What the agent's echo covers may be the voice going on.
            guard isSpeech, echo.isHeard, times.heard - times.lastClear <= policy.coveredMs else { return }
        }
        if times.heard - times.lastLoud > Self.dipMs + Self.halfMs {
            times.loudSince = times.heard - Self.halfMs
        }
        times.lastLoud = times.heard
    }
}

/// The decisions.
extension SpeechDetector {
    private var isOverAgent: Bool { times.agentAt.map { times.heard - $0 < Self.agentMs } ?? false }
    /// Much louder than what else is loud on this line.
    private var standsOut: Bool { over >= clutter.decibels + policy.outstandingDecibels }

    private var isVoiced: Bool { vad.map { $0.voicing >= policy.voicing } ?? true }

    private var needed: Float {
        let isUnvoiced = isOverAgent && mass >= policy.mass && !isVoiced
        let voiced = echo.isHeard ? max(policy.mass, policy.massEchoing) : policy.mass
        let least = isUnvoiced ? policy.massUnvoiced : voiced
        guard !standsOut else { return least }
        let share = (clutter.share - policy.clutterQuiet) / (policy.clutterFull - policy.clutterQuiet)
        return max(least, policy.mass + (policy.massCluttered - policy.mass) * max(0, min(1, share)))
    }

    private mutating func listenForStart(_ tell: (Event) -> Void) {
        let isOnset = over >= policy.onsetDecibels + (isOverAgent ? policy.echoDecibels : 0)
        if vad == nil {
            probability = isOnset ? 1 : 0
        } else if isOnset {
            probability = vad?.glimpse() ?? 0
        }
        let isLikely = probability >= policy.onsetProbability
        if !isLikely { clutter.learn(over >= policy.holdDecibels ? over : nil, ms: Self.blockMs) }
        if isOnset, isLikely {
            if mass < policy.onsetProbability { times.massSince = times.heard - Self.blockMs }
            mass += probability
        } else {
            mass *= 0.5
        }
        mass >= needed ? start(tell) : stir(isOnset, tell)
    }

    private mutating func start(_ tell: (Event) -> Void) {
        state = .speech
        mass = 0
        times.lastLikely = times.heard
        tell(.speechStarted(agoMs: times.heard - max(times.loudSince, times.massSince - Self.onsetBackMs)))
    }

    /// Tells a stirring and its end.
    private mutating func stir(_ isOnset: Bool, _ tell: (Event) -> Void) {
        let least = policy.stirProbability + (standsOut ? 0 : clutter.share)
        let isLoud = isOverAgent && times.loudFor >= policy.loudMs
        switch state {
        case .quiet where isOnset && (probability >= least || isLoud):
            state = .stirred(atMs: times.heard)
            tell(.stirred)
        case .stirred(let since)
        where times.heard - since >= policy.settleMs
            && (!isOnset || (probability < policy.stirProbability && !isLoud)):
            state = .quiet
            tell(.settled)
        default: break
        }
    }

    private mutating func listenForEnd(_ tell: (Event) -> Void) {
        // Who was on hold may be talking now.
        if probability >= policy.sureProbability { clutter.learn(nil, ms: Self.blockMs) }
        let last = vad == nil ? times.lastLoud : min(times.lastLoud, times.lastLikely)
        let quietMs = times.heard - last
        guard quietMs >= policy.endMs else {
            if quietMs >= policy.fadeMs, !hasFaded { tell(.speechFading(agoMs: quietMs)) }
            return hasFaded = quietMs >= policy.fadeMs
        }
        hasFaded = false
        state = .quiet
        probability = 0
        tell(.speechEnded(agoMs: quietMs))
    }
}
