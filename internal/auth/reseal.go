package auth

import "context"

// resealBatch bounds what is read at once.
const resealBatch = 500

// ResealApps seals the secrets of authenticator apps with the present master secret
// when only the previous one opens them, so that the previous one can be given up. It
// returns how many there were. Replicas may do it at the same time.
func (s *Service) ResealApps(ctx context.Context) (int, error) {
	if len(s.sealer) < 2 { // there is no previous secret
		return 0, nil
	}
	total, after := 0, ""
	for {
		list, err := s.store.Apps.InUse(ctx, after, resealBatch)
		if err != nil {
			return total, err
		}
		for _, app := range list {
			after = app.ID
			secret, old, ok := s.sealer.OpenOld(app.Secret, appPurpose(app.ID))
			if !ok || !old {
				continue // a secret that nothing opens is reported when it is needed
			}
			if err := s.store.Apps.Reseal(ctx, app.ID, app.Secret, s.SealSecret(app.ID, secret)); err != nil {
				return total, err
			}
			total++
		}
		if len(list) < resealBatch {
			return total, nil
		}
	}
}
