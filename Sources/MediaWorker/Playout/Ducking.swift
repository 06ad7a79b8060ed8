import Audio
import Glibc
import NIOCore

/// How loud the agent's voice is sent: one step a frame, so that it never clicks.
package enum Ducking: Int, Sendable {
    case full, lowering, low

    /// Softer by this many decibels when low, half of it on the way: clearly beneath the caller, still understood.
    static let decibels = 12.0

    func next(isDucked: Bool) -> Ducking {
        switch (self, isDucked) {
        case (.full, true), (.low, false): .lowering
        case (.lowering, true), (.low, true): .low
        case (.lowering, false), (.full, false): .full
        }
    }

    /// µ-law in, µ-law out; `full` costs nothing.
    func applied(to audio: ByteBufferView) -> ByteBufferView {
        guard self != .full else { return audio }
        let table = self == .low ? Self.lowTable : Self.loweringTable
        var softer = ByteBuffer()
        softer.reserveCapacity(audio.count)
        softer.writeBytes(audio.lazy.map { table[Int($0)] })
        return softer.readableBytesView
    }

    private static let lowTable = table(decibels)
    private static let loweringTable = table(decibels / 2)

    private static func table(_ decibels: Double) -> [UInt8] {
        let gain = pow(10, -decibels / 20)
        return MuLaw.decoded.map { MuLaw.encode(Int16((Double($0) * gain).rounded())) }
    }
}
