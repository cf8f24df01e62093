/** Told how far a long piece of work is: what was done to how many clients, and of how many where that is known. */
export type Progress = (done: 'compared' | 'looked through' | 'written' | 'read', count: number, of?: number) => void;
