// Names for the shapes of the local API, taken from its description, so that a change there is an error here.

import type { components } from './schema';

type S = components['schemas'];

export type Status = S['StatusReply'];
export type Card = S['CardView'];
export type Broadcast = S['BroadcastView'];
export type BroadcastBody = S['BroadcastBody'];
export type BroadcastReply = S['BroadcastReply'];
export type BroadcastWarning = S['BroadcastWarning'];
export type Association = S['AssociationView'];
export type AssociateBody = S['AssociateBody'];
export type AssociateReply = S['AssociateReply'];
export type IncomingWave = S['IncomingWave'];
export type Person = S['Person'];
export type Position = S['Position'];
export type ProximityBody = S['ProximityBody'];
export type ProximityReply = S['ProximityReply'];
export type Receipt = S['ReceiptView'];
export type ReceiptsReply = S['ReceiptsReply'];
export type Settings = S['SettingsView'];
export type SettingsBody = S['SettingsBody'];
export type Warning = S['Warning'];
export type WaveReply = S['WaveReply'];
export type OpenDoorReply = S['OpenDoorReply'];
export type AnonymityView = S['AnonymityView'];
export type AggregatesReply = S['AggregatesReply'];
export type Preview = S['PreviewReply'];
export type News = S['News'];
export type ProblemBody = S['Problem'];
export type AgentFrame = S['AgentFrame'];
export type ClientFrame = S['ClientFrame'];

/** The three modes, from the fastest to the most private. */
export type Mode = 'emergency' | 'balanced' | 'maximum';
