/// Keypad digits that come as RTP events beside the audio.
///
/// A press is sent in many packets of one timestamp, the last three times over; each press is told once, at its first
/// packet that arrives. Source: RFC 4733 §2.3, §2.5.
package struct TelephoneEvents: Sendable {
    static let payloadBytes = 4
    static let digits: [Character] = Array("0123456789*#ABCD")

    private var lastTimestamp: UInt32?

    package init() {}

    /// The digit of a payload that begins a press; nil for the others and for what is no digit.
    ///
    /// `timestamp`: the RTP packet's.
    package mutating func take(_ payload: [UInt8], timestamp: UInt32) -> Character? {
        guard payload.count >= Self.payloadBytes, Int(payload[0]) < Self.digits.count else { return nil }
        // A packet that was overtaken belongs to a press already told.
        if let last = lastTimestamp, Int32(bitPattern: timestamp &- last) <= 0 { return nil }
        lastTimestamp = timestamp
        return Self.digits[Int(payload[0])]
    }
}
