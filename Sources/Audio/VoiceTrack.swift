import Glibc

/// What is followed of a voice, 10 ms at a time.
struct VoiceFrame: Hashable, Sendable {
    /// See `Level.decibels`.
    var decibels: Float = 0
    /// Of the fundamental, in semitones over 1 Hz; meaningless where `periodicity` is low.
    var semitones: Float = 0
    /// Correlation of the wave with itself one period ago, 0...1.
    var periodicity: Float = 0
}

/// Makes frames of 8 kHz samples: loudness, and the pitch where it is loud.
///
/// Pitch: the lag at which the wave, at 4 kHz, correlates best with itself; a shorter lag that fits nearly as well is
/// taken, as twice the period fits too. A telephone cuts the fundamental off; its harmonics repeat as often.
struct VoiceTracker: Sendable {
    static let frameMs = 10
    private static let frameSamples = 80
    /// Periods looked for, in samples at 4 kHz: 61...400 Hz.
    private static let lags = 10...65
    private static let nearly: Float = 0.9
    /// Samples at 4 kHz that are compared: 30 ms; a multiple of 8.
    private static let window = 120
    /// Kept: the window, the longest lag, and two more on its other side.
    private static let kept = window + 67

    private var sums = LevelSums()
    private var half = [Float](repeating: 0, count: kept)
    /// The sample at 4 kHz in the making: ¼, ½, ¼ of three at 8 kHz.
    private var partial: Float = 0
    private var fresh = [Float]()

    init() { fresh.reserveCapacity(Self.frameSamples / 2) }

    /// `gate`: decibels from which the pitch is looked for. A frame at each 80th sample.
    @inline(__always)
    mutating func take(_ sample: Int16, gate: Float) -> VoiceFrame? {
        let value = Float(sample)
        if sums.count & 1 == 1 {
            fresh.append(partial + value * 0.25)
            partial = value * 0.25
        } else {
            partial += value * 0.5
        }
        sums.add(sample)
        return sums.count == Self.frameSamples ? end(gate) : nil
    }

    private mutating func end(_ gate: Float) -> VoiceFrame {
        half.removeFirst(fresh.count)
        half.append(contentsOf: fresh)
        fresh.removeAll(keepingCapacity: true)
        var frame = VoiceFrame(decibels: Float(sums.decibels))
        sums = LevelSums()
        if frame.decibels >= gate { half.withUnsafeBufferPointer { Self.correlate($0, &frame) } }
        return frame
    }

    private static func correlate(_ samples: UnsafeBufferPointer<Float>, _ frame: inout VoiceFrame) {
        guard let first = samples.baseAddress else { return }
        let now = first + (kept - window)
        let power = dot(now, now)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: lags.upperBound + 2) { fits in
            var best: Float = 0
            let shortest = lags.lowerBound - 1
            var earlier = dot(now - shortest, now - shortest)
            for lag in shortest...(lags.upperBound + 1) {
                fits[lag] = dot(now, now - lag) / (power * max(0, earlier) + 1).squareRoot()
                if lags.contains(lag) { best = max(best, fits[lag]) }
                // On to the window that begins one sample before.
                let (first, last) = (now[-lag - 1], now[window - 1 - lag])
                earlier += first * first - last * last
            }
            for lag in lags where fits[lag] >= best * nearly {
                let (before, here, after) = (fits[lag - 1], fits[lag], fits[lag + 1])
                guard here >= before, here >= after else { continue }
                let curve = before - 2 * here + after
                let offset = curve < 0 ? 0.5 * (before - after) / curve : 0
                frame.periodicity = max(0, here)
                frame.semitones = 12 * log2(4000 / (Float(lag) + offset))
                return
            }
        }
    }

    private static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
        let (left, right) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        var sum = SIMD8<Float>(repeating: 0)
        for at in stride(from: 0, to: window * 4, by: 32) {
            sum +=
                left.loadUnaligned(fromByteOffset: at, as: SIMD8<Float>.self)
                * right.loadUnaligned(fromByteOffset: at, as: SIMD8<Float>.self)
        }
        return sum.sum()
    }
}
