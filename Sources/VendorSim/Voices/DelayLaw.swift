package import Base
import Foundation

/// How long something of a simulated vendor takes.
package enum DelayLaw: Hashable, Sendable {
    case fixed(Duration)
    /// Any length between the two is as likely.
    case uniform(Duration, Duration)
    /// Half of them are shorter than `median`; `sigma` of the logarithm: 0.3 puts one in twenty over 1.6 medians.
    case logNormal(median: Duration, sigma: Double)

    /// No simulated vendor takes longer.
    package static let delayMax = Duration.seconds(120)

    package func sample(using random: inout SeededGenerator) -> Duration {
        switch self {
        case .fixed(let delay): return delay
        case .uniform(let low, let high):
            return low + (high - low) * Double.random(in: 0...1, using: &random)
        case .logNormal(let median, let sigma):
            // Box and Muller.
            let radius = (-2 * log(Double.random(in: 1e-12...1, using: &random))).squareRoot()
            let normal = radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
            return min(median * exp(sigma * normal), Self.delayMax)
        }
    }
}

/// One wrong thing that a simulated vendor does with one socket.
package enum VendorTrouble: Hashable, Sendable {
    /// The upgrade is answered with this status.
    case refuse(status: Int, retryAfterSeconds: Int?)
    /// The socket opens and nothing is ever said.
    case silence
    /// After so many messages the connection ends in the middle of a frame.
    case cut(afterMessages: Int)
    /// After so many messages a close frame.
    case close(code: Int, afterMessages: Int)
    /// After so many messages one that is not JSON.
    case malformed(afterMessages: Int)
    /// After so many messages the vendor's own message of an error.
    case error(afterMessages: Int)
    /// After so many messages nothing more is said; the socket stays.
    case stall(afterMessages: Int)
    /// Messages come in two frames, cut inside a character.
    case splitCharacters
    /// An event nobody knows before every message, and a member nobody knows in it.
    case unknownEvents
    /// It never stops.
    case endless
    /// Audio that is not what was asked for; a recogniser says so of the caller's.
    case wrongFormat
    /// Bytes come one by one, so many milliseconds apart.
    case trickle(milliseconds: Int)
}

/// How often a simulated vendor fails by itself, each 0...1: of a socket asked for, or of a piece of work on it.
package struct TroubleRates: Hashable, Sendable {
    /// Refused with 503.
    package var refuse = 0.0
    /// Cut in mid-frame after a few messages.
    package var cut = 0.0
    /// A message that is not JSON after a few.
    package var malformed = 0.0
    package init() {}

    func draw(using random: inout SeededGenerator) -> VendorTrouble? {
        let dice = Double.random(in: 0..<1, using: &random)
        let after = Int.random(in: 0...20, using: &random)
        if dice < refuse { return .refuse(status: 503, retryAfterSeconds: nil) }
        if dice < refuse + cut { return .cut(afterMessages: after) }
        return dice < refuse + cut + malformed ? .malformed(afterMessages: after) : nil
    }
}
