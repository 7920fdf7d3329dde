"""The dialects in which events come in, a room each. All of them end in `services.accept`.

asking     what is read of any request: body, key, the door it opens
packing    bodies unpacked and decoded, whatever a client did to them
answers    JSON, refusals, CORS
handing    the way in once messages are read
later      answers that wait for the disk in no thread
segment/   Segment's HTTP tracking API
"""
